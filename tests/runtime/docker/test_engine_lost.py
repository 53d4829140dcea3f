"""An engine that goes away in mid-drill: the drill is broken off with one line, and the line names the engine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.drill.session import while_it_lasts
from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.engine_removal import remove_from_engine
from harness.runtime.session import Session
from tests.runtime.docker.small_stack import in_engine, open_small

pytestmark = [pytest.mark.docker, pytest.mark.anyio]


class Relay:
    """Stands between the harness and the engine, and can go away as an engine does.

    Args:
        path: where it listens.
        engine: the engine's own socket.
    """

    def __init__(self, path: Path, engine: str) -> None:
        self.path = path
        self._engine = engine
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(asyncio.create_task(self._serve(reader, writer)))

        self._server = await asyncio.start_unix_server(begin, self.path)

    async def go_away(self) -> None:
        """End every connection, and accept no other."""
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_engine = await asyncio.open_unix_connection(self._engine)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, to_engine))
                group.create_task(_pump(theirs, writer))
        finally:
            for each in (writer, to_engine):
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.fixture
async def relay(engine: Engine, tmp_path: Path) -> AsyncIterator[Relay]:
    """A relay to the engine."""
    relay = Relay(tmp_path / "docker.sock", engine.address.removeprefix("unix://"))
    await relay.start()
    yield relay
    await relay.go_away()


async def drill_error(home: Path, relay: Relay, session: Session, relayed: Engine) -> tuple[str, str, float]:
    """The error of a drill whose engine goes away, its evidence, and how long that took in seconds."""
    gone_at_s = 0.0

    async def drill() -> None:
        nonlocal gone_at_s
        async with session:
            running = await open_small(home, session, relayed)
            async with while_it_lasts(running):
                gone_at_s = time.monotonic()
                await relay.go_away()
                await asyncio.Event().wait()

    with pytest.raises(HarnessError) as caught:
        await drill()
    return str(caught.value), caught.value.evidence, time.monotonic() - gone_at_s


# The SDK leaves the socket of a connection that was refused to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_engine_that_goes_away_breaks_the_drill_off(
    engine: Engine, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a drill does is broken off within seconds; what is left is named, and removed once the engine is back."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    relayed = await asyncio.to_thread(Engine.find)
    session = await Session.open()
    said, evidence, took_s = await drill_error(tmp_path / "small", relay, session, relayed)
    assert said.startswith(f"the drill was broken off: the Docker engine at unix://{relay.path} went away")
    assert "could not be removed whole" in evidence
    assert took_s < 15
    relayed.close()
    assert in_engine(engine, session.id) != []
    removed = await asyncio.to_thread(remove_from_engine, engine.address, session.id, quiet_s=0, deadline_s=30)
    assert removed.left == ()
    assert in_engine(engine, session.id) == []
    gc.collect()
