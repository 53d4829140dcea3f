"""Links for the tests, and one exchange over a link as its client sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import psutil

from harness.runtime.toxiproxy.link_proxy import LinkProxy

# More than the buffers of both connections of a proxy hold.
LARGE_ANSWER_BYTES = 20_000_000
StartLink = Callable[[str], Awaitable[LinkProxy]]


class Saw(StrEnum):
    """What became of an exchange."""

    ANSWERED = "answered"
    REFUSED = "refused"
    RESET = "reset"
    ENDED = "ended"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the client saw, after how many seconds, calling from which port (0 when it never connected)."""

    saw: Saw
    took_s: float
    client_port: int


def server_pid(link: LinkProxy) -> int:
    """The process that listens on a link now."""
    listening = (each for each in psutil.net_connections("tcp4") if each.status == psutil.CONN_LISTEN)
    return next(each.pid for each in listening if each.laddr == link.address and each.pid is not None)


async def exchange(port: int, *, patience_s: float = 0.4) -> Exchange:
    """Send a word to the server that gives it back, over a fresh connection."""
    started = time.monotonic()
    client_port = 0
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return Exchange(Saw.REFUSED, time.monotonic() - started, client_port)
    client_port = writer.get_extra_info("sockname")[1]
    try:
        async with asyncio.timeout(patience_s):
            writer.write(b"hello")
            saw = Saw.ANSWERED if await reader.read(5) else Saw.ENDED
    except ConnectionResetError:
        saw = Saw.RESET
    except TimeoutError:
        saw = Saw.SILENT
    finally:
        writer.transport.abort()
    return Exchange(saw, time.monotonic() - started, client_port)
