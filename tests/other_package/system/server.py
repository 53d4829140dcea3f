"""Things over HTTP, kept in memory: POST /things {"id"}, GET /things."""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

THINGS: list[str] = []
LOCK = threading.Lock()
# A defect that can be planted: each thing is stored a second time, under a name of the server's own.
BROKEN = os.environ.get("BROKEN") == "yes"


class Things(BaseHTTPRequestHandler):
    """The API."""

    def do_POST(self) -> None:
        """Store a thing once, however often it comes."""
        thing = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"]
        with LOCK:
            for name in (thing, f"copy of {thing}") if BROKEN else (thing,):
                if name not in THINGS:
                    THINGS.append(name)
        self._answer({"id": thing})

    def do_GET(self) -> None:
        """Give them all."""
        with LOCK:
            self._answer([{"id": thing} for thing in THINGS])

    def _answer(self, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Things).serve_forever()
