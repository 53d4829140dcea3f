"""A backend in front of the real one that fails in a prescribed way, request by request."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx

from tests.trading.relay import reset

_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Request:
    """What came in.

    Args:
        head: request line and headers.
        body: the rest.
        headers: by name in small letters.
    """

    head: str
    body: bytes
    headers: dict[str, str]


class FaultBackend:
    """Answers one request after the other as its list of faults says; at the end of the list, as the backend does.

    Args:
        backend_url: the real one.
        faults: names of `FAULTS`, in the order of requests.
        always: whether the last fault of the list is for all later requests too.
        late_s: how late "late" is.
    """

    def __init__(self, backend_url: str, faults: Sequence[str], *, always: bool = False, late_s: float = 1.0) -> None:
        self.late_s = late_s
        self._backend_url = backend_url
        self._faults = list(faults)
        self._always = always
        self._lock = threading.Lock()
        self._answering: list[threading.Thread] = []
        self.requests: list[Request] = []
        self.stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._answer, args=(client,), daemon=True)
            self._answering.append(thread)
            thread.start()

    def _answer(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            request = _read(client)
            if request is not None:
                FAULTS[self._next_fault(request)](self, client, request)
        client.close()

    def _next_fault(self, request: Request) -> str:
        with self._lock:
            self.requests.append(request)
            if not self._faults:
                return "forward"
            return self._faults[0] if self._always and len(self._faults) == 1 else self._faults.pop(0)

    def forward(self, request: Request) -> bytes:
        """Let the real backend do the work; return its answer as bytes of HTTP."""
        wanted = {"content-type", "idempotency-key"}
        kept = {name: value for name, value in request.headers.items() if name in wanted}
        method, path, _ = request.head.splitlines()[0].split(" ")
        answer = httpx.request(method, self._backend_url + path, content=request.body, headers=kept, trust_env=False)
        return _response(answer.status_code, answer.content, "application/json")

    def close(self) -> None:
        """Stop serving, when what was held has been forwarded."""
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._answering:
            thread.join(_STOP_S)


def _read(client: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    while len(body) < int(headers.get("content-length", "0")):
        body += client.recv(65536)
    return Request(head.decode(), body, headers)


def _response(status: int, body: bytes, kind: str, extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n{extra}\r\n".encode() + body


def _says(status: int, body: bytes, kind: str = "application/json", extra: str = "") -> Callable[..., None]:
    def fault(_: FaultBackend, client: socket.socket, __: Request) -> None:
        client.sendall(_response(status, body, kind, extra))

    return fault


def _forward(server: FaultBackend, client: socket.socket, request: Request) -> None:
    client.sendall(server.forward(request))


def _reset_before(_: FaultBackend, client: socket.socket, __: Request) -> None:
    reset(client)


def _reset_after(server: FaultBackend, client: socket.socket, request: Request) -> None:
    server.forward(request)
    reset(client)


def _reset_in_body(server: FaultBackend, client: socket.socket, request: Request) -> None:
    client.sendall(server.forward(request)[:-20])
    reset(client)


def _silent_after(server: FaultBackend, _: socket.socket, request: Request) -> None:
    server.forward(request)
    server.stopped.wait(_STOP_S)


def _error_after(server: FaultBackend, client: socket.socket, request: Request) -> None:
    server.forward(request)
    client.sendall(_response(500, b"", "text/plain"))


def _late(server: FaultBackend, client: socket.socket, request: Request) -> None:
    server.stopped.wait(server.late_s)
    client.sendall(server.forward(request))


def _late_after(server: FaultBackend, client: socket.socket, request: Request) -> None:
    answer = server.forward(request)
    server.stopped.wait(server.late_s)
    client.sendall(answer)


def _held(server: FaultBackend, client: socket.socket, request: Request) -> None:
    """Keep the request until the client has given up, and only then let the backend have it."""
    client.settimeout(_STOP_S)
    with contextlib.suppress(OSError):
        client.recv(1)
    server.forward(request)


def _echo_token(_: FaultBackend, client: socket.socket, request: Request) -> None:
    header = request.headers["authorization"]
    words = f"no: {header}, and no more of {header.split()[-1]}"
    client.sendall(_response(500, words.encode(), "text/plain"))


def _soon(_: FaultBackend, client: socket.socket, __: Request) -> None:
    now = datetime.now(UTC)
    dates = (format_datetime(date, usegmt=True) for date in (now, now + timedelta(seconds=1)))
    client.sendall(_response(429, b"{}", "application/json", "Date: {}\r\nRetry-After: {}\r\n".format(*dates)))


def _trickle(server: FaultBackend, client: socket.socket, request: Request) -> None:
    for byte in server.forward(request):
        client.sendall(bytes([byte]))
        if server.stopped.wait(0.05):
            return


FAULTS: dict[str, Callable[[FaultBackend, socket.socket, Request], None]] = {
    "forward": _forward,
    "500": _says(500, b"oops", "text/plain"),
    "500 after commit": _error_after,
    "503, 1 s": _says(503, b"{}", extra="Retry-After: 1\r\n"),
    "408": _says(408, b"{}"),
    "425": _says(425, b"{}"),
    "429": _says(429, b"{}"),
    "429, 1 s": _says(429, b"{}", extra="Retry-After: 1\r\n"),
    "429, a date 1 s from now": _soon,
    "429, an hour": _says(429, b"{}", extra="Retry-After: 3600\r\n"),
    "400": _says(400, b'{"detail":"no"}'),
    "401": _says(401, b'{"detail":"no"}'),
    "404": _says(404, b'{"detail":"no"}'),
    "413": _says(413, b'{"detail":"no"}'),
    "422": _says(422, b'{"detail":"no"}'),
    "500, with the token": _echo_token,
    "html": _says(200, b"<html>log in</html>", "text/html"),
    "empty": _says(200, b""),
    "{}": _says(200, b"{}"),
    "another row": _says(200, b'{"id": 1, "name": "other", "type": "chart", "execution_id": "x"}'),
    "reset before": _reset_before,
    "reset after commit": _reset_after,
    "reset in body": _reset_in_body,
    "silent after commit": _silent_after,
    "trickle": _trickle,
    "late": _late,
    "late after commit": _late_after,
    "held": _held,
}


@contextlib.contextmanager
def failing(backend_url: str, *faults: str, always: bool = False, late_s: float = 1.0) -> Iterator[FaultBackend]:
    """Serve with these faults for as long as the block lasts."""
    server = FaultBackend(backend_url, faults, always=always, late_s=late_s)
    try:
        yield server
    finally:
        server.close()
