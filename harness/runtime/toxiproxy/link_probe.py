"""A link probe: the harness uses a link itself, as the system would, and tells what it came to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from harness.history.events import ProbeOutcome
from harness.stack.addressing import Address

DEFAULT_TIMEOUT_S = 1.0
# What a TWS client says first. Source: the handshake of the TWS API (``API\0``, then a length and the version range).
_TWS_VERSIONS = b"v100..178"
# Source: https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest); answered with one byte.
_POSTGRES_SSL_REQUEST = struct.pack("!II", 8, 80877103)


def _client_hello() -> bytes:
    """What a client of TLS says first: the same each time, for it is answered and then left alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


# With an empty greeting the server is only listened to: one that waits for its client's first word stays silent.
GREETINGS: Mapping[str, bytes] = {
    "tcp": b"",
    "http": b"GET / HTTP/1.0\r\nHost: harness\r\n\r\n",
    "postgres": _POSTGRES_SSL_REQUEST,
    "tls": _client_hello(),
    "tws": b"API\0" + struct.pack("!I", len(_TWS_VERSIONS)) + _TWS_VERSIONS,
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one link probe saw.

    Args:
        outcome: what it came to.
        elapsed_s: from the first packet to the outcome.
        client_port: the port from which it went, so that it is not taken for the system's.
        connected: whether the connection was accepted, also if no answer came then.
    """

    outcome: ProbeOutcome
    elapsed_s: float
    client_port: int
    connected: bool


def _ignore(_: int) -> None:
    return


async def send_probe(
    address: Address,
    greeting: bytes,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    *,
    on_bound: Callable[[int], object] = _ignore,
) -> ProbeResult:
    """Connect, say ``greeting``, and wait for the first byte of an answer.

    Args:
        address: the link's listening address.
        greeting: what makes the server answer.
        timeout_s: how long silence may last before it is called silence.
        on_bound: is told the port from which it goes, before the first packet does: what counts connections knows
            it for the harness's, however it ends.
    """
    probe = _Probe(address, greeting)
    began_s = time.monotonic()
    with probe.client:
        probe.client.bind(("", 0))
        client_port = int(probe.client.getsockname()[1])
        on_bound(client_port)
        outcome = await probe.use(timeout_s)
    return ProbeResult(outcome, time.monotonic() - began_s, client_port, probe.connected)


class _Probe:
    def __init__(self, address: Address, greeting: bytes) -> None:
        self._address = address
        self._greeting = greeting
        self.connected = False
        self.client = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.client.setblocking(False)
        # Its end resets the connection: a server that still answers finds it closed, and the port does not linger.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def use(self, timeout_s: float) -> ProbeOutcome:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(self.client, self._address)
                self.connected = True
                await loop.sock_sendall(self.client, self._greeting)
                return ProbeOutcome.ANSWERED if await loop.sock_recv(self.client, 1) else ProbeOutcome.ENDED
        except TimeoutError:
            return ProbeOutcome.SILENT
        except ConnectionRefusedError:
            return ProbeOutcome.REFUSED
        except OSError:
            return ProbeOutcome.RESET
