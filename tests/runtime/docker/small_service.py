"""A service for the tests, run in a container: it answers, and does from inside what it is asked to."""

from __future__ import annotations

import http.server
import os
import socket
import sys
import urllib.request
from pathlib import Path

# More than the buffers of three connections hold, with the engine's forwarder between two of them.
LARGE = b"x" * 80_000_000


def fetched(address: str) -> bytes:
    """What a GET of an address gives from here."""
    try:
        with urllib.request.urlopen(f"http://{address}/", timeout=1.5) as answer:
            return bytes(answer.read())
    except OSError as cause:
        return type(getattr(cause, "reason", cause)).__name__.encode()


def resolved(name: str) -> bytes:
    """The address that a name has here."""
    try:
        return socket.gethostbyname(name).encode()
    except OSError:
        return b"unknown"


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /, /large, /fetch/HOST:PORT, /resolve/NAME, /write/PATH, /list/PATH, /die."""

    def do_GET(self) -> None:
        """Do what the path says."""
        what, _, rest = self.path.strip("/").partition("/")
        match what:
            case "large":
                answer = LARGE
            case "fetch":
                answer = fetched(rest)
            case "resolve":
                answer = resolved(rest)
            case "write":
                Path("/", rest).parent.mkdir(parents=True, exist_ok=True)
                answer = str(Path("/", rest).write_text("written")).encode()
            case "list":
                answer = " ".join(sorted(path.name for path in Path("/", rest).rglob("*"))).encode()
            case "die":
                print("told to die", flush=True)  # noqa: T201 - what its log is looked for
                os._exit(7)
            case _:
                answer = os.environ.get("WORD", "").encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


print("serving", flush=True)  # noqa: T201 - what its log is looked for
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()  # noqa: S104 - in a container
