"""A link probe: the harness uses a link itself, as the system would, and tells what it came to."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

from harness.history.events import ProbeOutcome
from harness.stack.addressing import Address

DEFAULT_TIMEOUT_S = 1.0
# What a TWS client says first. Source: the handshake of the TWS API (``API\0``, then a length and the version range).
_TWS_VERSIONS = b"v100..178"
# Source: https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest); answered with one byte.
_POSTGRES_SSL_REQUEST = struct.pack("!II", 8, 80877103)

# With an empty greeting only the connection is tried: a server that waits for its client's first word stays silent.
GREETINGS: Mapping[str, bytes] = {
    "tcp": b"",
    "http": b"GET / HTTP/1.0\r\nHost: harness\r\n\r\n",
    "postgres": _POSTGRES_SSL_REQUEST,
    "tws": b"API\0" + struct.pack("!I", len(_TWS_VERSIONS)) + _TWS_VERSIONS,
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What one link probe saw.

    Args:
        outcome: what it came to.
        elapsed_s: from the first packet to the outcome.
        client_port: the port from which it went, so that it is not taken for the system's; None if it never connected.
    """

    outcome: ProbeOutcome
    elapsed_s: float
    client_port: int | None


async def send_probe(address: Address, greeting: bytes, timeout_s: float = DEFAULT_TIMEOUT_S) -> ProbeResult:
    """Connect, say ``greeting``, and wait for the first byte of an answer.

    Args:
        address: the link's listening address.
        greeting: what makes the server answer.
        timeout_s: how long silence may last before it is called silence.
    """
    began_s = time.monotonic()
    client_port: int | None = None
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(*address)
            client_port = writer.get_extra_info("sockname")[1]
            writer.write(greeting)
            await writer.drain()
            outcome = ProbeOutcome.ANSWERED if await reader.read(1) else ProbeOutcome.ENDED
    except TimeoutError:
        outcome = ProbeOutcome.ANSWERED if client_port is not None and not greeting else ProbeOutcome.SILENT
    except ConnectionRefusedError:
        outcome = ProbeOutcome.REFUSED
    except OSError:
        outcome = ProbeOutcome.RESET
    finally:
        if writer is not None:
            writer.transport.abort()
    return ProbeResult(outcome=outcome, elapsed_s=time.monotonic() - began_s, client_port=client_port)
