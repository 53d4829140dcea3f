"""A TCP relay between a client and a server, which a test can cut, stall and close."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from tests.trading.kill_point import KillPoint

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Trap:
    """Bytes from the client at which the relay cuts its connections.

    Args:
        pattern: the bytes.
        forward: whether the server still gets them.
        refuse: whether new connections are refused from then on.
    """

    pattern: bytes
    forward: bool
    refuse: bool


def reset(connection: socket.socket) -> None:
    """Close a connection so that its peer sees a reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()


class Relay:
    """A relay on a port of its own.

    Args:
        upstream_port: where connections go, on 127.0.0.1.
        port: where it listens; chosen when None.

    Attributes:
        kill_point: counts every chunk, when it is set.
    """

    def __init__(self, upstream_port: int, port: int | None = None) -> None:
        self.upstream_port = upstream_port
        self.sprung = threading.Event()
        self.kill_point: KillPoint | None = None
        self._trap: Trap | None = None
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = self._listen(port or 0)

    def _listen(self, port: int) -> int:
        listener = socket.create_server(("127.0.0.1", port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream_port), timeout=2)
                server.settimeout(None)
            except OSError:
                reset(client)
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                # From now on another thread may cut them, at any time.
                self._open |= {client, server}
            for source, target, upwards in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, target, upwards), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, upwards: bool) -> None:  # noqa: FBT001 - a thread's argument
        try:
            while chunk := source.recv(_CHUNK_BYTES):
                self._flows.wait()
                trap = self._trap
                caught = upwards and trap is not None and trap.pattern in chunk
                if not caught or (trap is not None and trap.forward):
                    self._forward(chunk, target)
                if caught and trap is not None:
                    self._trap = None
                    # An orderly end upwards: a reset could overtake what was just forwarded.
                    target.shutdown(socket.SHUT_WR)
                    self.cut(refuse=trap.refuse, gently=target)
                    self.sprung.set()
                    return
        except OSError:
            pass
        finally:
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            # The other direction's thread closes the other end.
            source.close()

    def _forward(self, chunk: bytes, target: socket.socket) -> None:
        if self.kill_point is None:
            target.sendall(chunk)
            return
        with self.kill_point.passing() as forwarded:
            if forwarded:
                target.sendall(chunk)

    def set_trap(self, pattern: bytes, *, forward: bool, refuse: bool = False) -> None:
        """Cut all connections when the client sends these bytes."""
        self.sprung.clear()
        self._trap = Trap(pattern, forward, refuse)

    def cut(self, *, refuse: bool, gently: socket.socket | None = None) -> None:
        """Reset every connection, but for one that is only closed.

        Args:
            refuse: whether new connections are refused until `restore`.
            gently: closed without a reset.
        """
        if refuse and self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            ended, self._open = self._open, set()
        for connection in ended:
            if connection is not gently:
                reset(connection)

    def restore(self) -> None:
        """Accept connections again, on the same port."""
        self._flows.set()
        if self._listener is None:
            self._listen(self.port)

    def stall(self) -> None:
        """Keep connections open, and forward nothing."""
        self._flows.clear()

    def close(self) -> None:
        """End everything."""
        self._flows.set()
        self.cut(refuse=True)


@contextlib.contextmanager
def relay_to(upstream_port: int, *, port: int | None = None) -> Iterator[Relay]:
    """Relay for as long as the block lasts."""
    relay = Relay(upstream_port, port)
    try:
        yield relay
    finally:
        relay.close()
