"""What the tests of the runtime share: a real session, a real Toxiproxy, and a server behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.runtime.cache import cache_directory
from harness.runtime.local.toxiproxy_server import LocalPlace
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.toxiproxy.link_proxy import LinkProxy, LinkReplaced
from tests.runtime.exchange import LARGE_ANSWER_BYTES, StartLink


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.fixture(scope="session")
def toxiproxy_server() -> Path:
    """The real server."""
    return find_or_build(cache_directory(Path(__file__).parents[2]))


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    """A session that is removed after the test."""
    async with await Session.open() as opened:
        yield opened


@pytest.fixture
async def upstream(session: Session) -> AsyncIterator[int]:
    """The port of a server that gives back what it gets, and a large answer to the word ``large``."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while said := await reader.read(65536):
                writer.write(b"x" * LARGE_ANSWER_BYTES if said == b"large" else said)
                await writer.drain()
        writer.close()

    port = session.ports.take()
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    yield port
    server.close()


@pytest.fixture
def replaced() -> list[LinkReplaced]:
    """What the links of the test told of their replacements."""
    return []


@pytest.fixture
async def start_link(
    session: Session, toxiproxy_server: Path, upstream: int, replaced: list[LinkReplaced]
) -> AsyncIterator[StartLink]:
    """A way to start links to the server."""
    started: list[LinkProxy] = []

    async def start(name: str) -> LinkProxy:
        place = LocalPlace(
            name,
            listen_port=session.ports.take(),
            control_port=session.ports.take(),
            upstream=("127.0.0.1", upstream),
            binary=toxiproxy_server,
            session=session,
        )
        link = LinkProxy(
            name,
            ("127.0.0.1", place.listen_port),
            place.start,
            log=session.directory / f"{len(started)}.log",
            on_replaced=replaced.append,
        )
        await link.start()
        started.append(link)
        return link

    yield start
    for link in started:
        await link.close()


@pytest.fixture
async def link(start_link: StartLink) -> LinkProxy:
    """One link."""
    return await start_link("workflow -> backend:8000")
