"""A client of the TWS protocol that asks for the time and nothing else: the proof that a gateway answers its clients.

Source: the TWS API's client: a handshake of ``API`` and a version range, then startApi (71) and reqCurrentTime (49).
"""

from __future__ import annotations

import asyncio
import random
import struct

from harness.stack.addressing import Address

_VERSIONS = b"v100..178"
_START_API, _CURRENT_TIME = "71", "49"
# Far from the ids that people give their clients.
_IDS = (1_900_000_000, 2_000_000_000)


async def ask_time(address: Address, deadline_s: float) -> str | None:
    """Connect to a gateway as a client of its own, and ask it for the time.

    Args:
        address: where it listens, around every proxy.
        deadline_s: how long all of that may take, in seconds.

    Returns:
        Why no time came, for a person; None if it did.
    """
    try:
        async with asyncio.timeout(deadline_s):
            reader, writer = await asyncio.open_connection(*address)
            try:
                return await _ask(reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        return f"a client that asked for the time got no answer within {deadline_s:g} s"
    except (OSError, asyncio.IncompleteReadError) as cause:
        return f"a client that asked for the time was cut off: {type(cause).__name__}"


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
    writer.write(b"API\0" + struct.pack("!I", len(_VERSIONS)) + _VERSIONS)
    await _frame(reader)
    client_id = random.SystemRandom().randrange(*_IDS)
    writer.write(_packed(_START_API, "2", str(client_id), "") + _packed(_CURRENT_TIME, "1"))
    while (fields := await _frame(reader))[0] != _CURRENT_TIME:
        pass
    return None if fields[-2].isdigit() else f"a client asked for the time, and was told {fields}"


async def _frame(reader: asyncio.StreamReader) -> list[str]:
    (size,) = struct.unpack("!I", await reader.readexactly(4))
    return (await reader.readexactly(size)).decode(errors="replace").split("\0")


def _packed(*fields: str) -> bytes:
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack("!I", len(payload)) + payload
