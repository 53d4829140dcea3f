"""Things over HTTP: POST /things {"id"}, GET /things."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from things import THINGS, keep  # type: ignore[import-not-found]  # beside it, where it runs


class Things(BaseHTTPRequestHandler):
    """The API."""

    def do_POST(self) -> None:
        """Keep a thing."""
        thing = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["id"]
        keep(thing)
        self._answer({"id": thing})

    def do_GET(self) -> None:
        """Give them all."""
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
