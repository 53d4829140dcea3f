"""An analysis service that fails in a prescribed way, request by request, and then answers as the stand-in does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import httpx

from tests.trading.analysis_parts import completion, verdict
from tests.trading.relay import reset

_STOP_S = 30.0


def http(status: int, body: str | bytes, *, extra: str = "") -> bytes:
    """An answer as bytes of HTTP."""
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
    return f"{head}Connection: close\r\n{extra}\r\n".encode() + raw


GOOD = http(200, completion(verdict()))


class FaultAnalysis:
    """Answers on a port of its own.

    Args:
        upstream: the stand-in's address, asked when no fault is left; None to answer with a verdict to buy.
        faults: bytes to send, or the names of what else to do, in the order of requests.
    """

    def __init__(self, upstream: str | None, *faults: bytes | str) -> None:
        self.faults = list(faults)
        self.asked = 0
        self._upstream = upstream
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            request = _read(client)
            if request is None:
                return
            self.asked += 1
            fault = self.faults.pop(0) if self.faults else self._forward(request)
            if isinstance(fault, bytes):
                client.sendall(fault)
            else:
                _DEEDS[fault](self, client)

    def _forward(self, request: bytes) -> bytes:
        if self._upstream is None:
            return GOOD
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.partition(": ")[::2] for line in head.decode().split("\r\n")[1:]]
        kept = {name: value for name, value in lines if name.lower() in {"authorization", "content-type"}}
        path = head.split(b" ")[1].decode()
        answer = httpx.post(self._upstream + path, content=body, headers=kept, trust_env=False)
        return http(answer.status_code, answer.content)

    def endlessly(self, client: socket.socket, chunk: bytes, *, every_s: float) -> None:
        """Send a piece again and again until the client or the test has enough."""
        while not self._stopped.wait(every_s):
            client.sendall(chunk)

    def silently(self, _: socket.socket) -> None:
        """Keep the connection, and say nothing."""
        self._stopped.wait(_STOP_S)

    def close(self) -> None:
        """Stop serving."""
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _read(client: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def _reset(_: FaultAnalysis, client: socket.socket) -> None:
    reset(client)


def _reset_in_body(_: FaultAnalysis, client: socket.socket) -> None:
    client.sendall(GOOD[:-20])
    reset(client)


def _trickle(server: FaultAnalysis, client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    server.endlessly(client, b" ", every_s=0.05)


def _flood(server: FaultAnalysis, client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    server.endlessly(client, b" " * 65536, every_s=0)


_DEEDS: dict[str, Callable[[FaultAnalysis, socket.socket], None]] = {
    "reset": _reset,
    "reset in body": _reset_in_body,
    "silence": FaultAnalysis.silently,
    "trickle": _trickle,
    "flood": _flood,
}


@contextlib.contextmanager
def failing_analysis(upstream: str | None, *faults: bytes | str) -> Iterator[FaultAnalysis]:
    """Serve with these faults for as long as the block lasts."""
    server = FaultAnalysis(upstream, *faults)
    try:
        yield server
    finally:
        server.close()
