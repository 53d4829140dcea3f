"""The witness knows when a handshake is over also where frames come in pieces, or several at once."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from harness.faults.link.answer_lost import AnswerLost
from harness.faults.link.latency import Latency
from harness.runtime.local.toxiproxy_server import LocalPlace
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.runtime.waiting import until

pytestmark = pytest.mark.anyio
READY = b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I"
ANSWER = b"C" + struct.pack("!I", 4) + b"Z" + struct.pack("!I", 5) + b"I"
# A row that holds what looks like the end of a handshake.
DECEPTIVE = b"S" + struct.pack("!I", 10) + READY[-6:]


def framed(*texts: bytes) -> bytes:
    """Frames of TWS."""
    return b"".join(struct.pack("!I", len(text)) + text for text in texts)


@asynccontextmanager
async def scripted(
    session: Session, binary: Path, protocol: str
) -> AsyncIterator[tuple[LinkProxy, asyncio.Queue[bytes]]]:
    """A link to a server that says what the test has it say, piece by piece, and hears nothing."""
    script: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await script.get():
                writer.write(piece)
                await writer.drain()
        writer.close()

    upstream = session.ports.take()
    server = await asyncio.start_server(serve, "127.0.0.1", upstream)
    place = LocalPlace(
        "a -> b:1", session.ports.take(), session.ports.take(), ("127.0.0.1", upstream), binary, session, protocol
    )
    link = LinkProxy(place.link, ("127.0.0.1", place.listen_port), place.start, log=session.directory / "a.log")
    await link.start()
    try:
        yield link, script
    finally:
        script.put_nowait(b"")
        await link.close()
        server.close()


def whole(said: bytes) -> list[bytes]:
    """In one piece."""
    return [said]


def byte_by_byte(said: bytes) -> list[bytes]:
    """In the smallest pieces."""
    return [said[at : at + 1] for at in range(len(said))]


@pytest.mark.parametrize("cut", [whole, byte_by_byte])
@pytest.mark.parametrize(
    ("protocol", "greeting"),
    [
        ("postgres", READY),
        ("postgres", DECEPTIVE + READY),
        ("tws", framed(b"178\0now\0", b"15\x001\0DU1\0", b"9\x001\x001\0")),
        ("tws", framed(b"203\0now\0", struct.pack("!I", 209) + b"\x08\x01")),
        ("tws", framed(b"9\x001\x001\0", b"x", b"9\x001\x001\0")),  # the first is the version, however it looks
    ],
)
async def test_handshake_passes_and_nothing_behind_it(
    session: Session, toxiproxy_server: Path, protocol: str, greeting: bytes, cut: Callable[[bytes], list[bytes]]
) -> None:
    """The whole greeting comes, in any pieces; the first answer behind it is cut."""
    async with scripted(session, toxiproxy_server, protocol) as (link, script):
        await link.add_toxic(AnswerLost().told_witness(protocol))
        reader, writer = await asyncio.open_connection(*link.address)
        writer.write(b"hello from a client")
        for piece in cut(greeting):
            script.put_nowait(piece)
            assert await reader.readexactly(len(piece)) == piece
        script.put_nowait(ANSWER)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.transport.abort()


async def test_refused_encryption_is_no_end_of_the_handshake(session: Session, toxiproxy_server: Path) -> None:
    """The byte in which a server refuses to encrypt belongs to the greeting; one that does encrypt hides its end."""
    async with scripted(session, toxiproxy_server, "postgres") as (link, script):
        await link.add_toxic(AnswerLost().told_witness("postgres"))
        reader, writer = await asyncio.open_connection(*link.address)
        writer.write(struct.pack("!II", 8, 80877103))
        # A server answers what it has heard: before that, the byte would be the beginning of something else.
        await until(
            lambda: sum(use.up_bytes for use in link.system_uses()) >= 8, what="the request to pass", deadline_s=20
        )
        script.put_nowait(b"N")
        assert await reader.readexactly(1) == b"N"
        script.put_nowait(READY)
        assert await reader.readexactly(len(READY)) == READY
        script.put_nowait(ANSWER)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.transport.abort()


async def test_lift_passes_on_what_was_held_in_order(session: Session, toxiproxy_server: Path) -> None:
    """What was held up comes at once when the fault is lifted, whole and in order, and the lift does not hang on it."""
    async with scripted(session, toxiproxy_server, "") as (link, script):
        await link.add_toxic(Latency(delay_ms=30_000).told_witness(""))
        reader, writer = await asyncio.open_connection(*link.address)
        writer.write(b"hello")
        pieces = [bytes([at]) * 50_000 for at in range(60)]
        for piece in pieces:
            script.put_nowait(piece)
        await until(
            lambda: sum(use.down_bytes for use in link.system_uses()) >= 100_000, what="some of it", deadline_s=5
        )
        healed = await link.heal()
        assert healed.replaced is None
        async with asyncio.timeout(5):
            assert await reader.readexactly(3_000_000) == b"".join(pieces)
        writer.transport.abort()


async def test_lift_does_not_hang_on_a_client_that_does_not_read(session: Session, toxiproxy_server: Path) -> None:
    """Held answers to a client that reads nothing keep no lift up: Toxiproxy's own latency hangs for ever there."""
    async with scripted(session, toxiproxy_server, "") as (link, script):
        _, writer = await asyncio.open_connection(*link.address)
        writer.write(b"hello")
        await link.add_toxic(Latency(delay_ms=100).told_witness(""))
        for _ in range(300):
            script.put_nowait(b"x" * 65_536)
        await until(lambda: any(use.late for use in link.system_uses()), what="late answers", deadline_s=5)
        assert (await link.heal()).replaced is None
        writer.transport.abort()
