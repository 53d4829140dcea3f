"""An engine that goes away in mid-drill: the drill is broken off with one line, and the line names the engine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from harness.drill.drill import Drill
from harness.drill.opening import while_it_lasts
from harness.errors import HarnessError
from harness.history.events import Event, FaultObserved, Trouble
from harness.history.history import Entry
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.engine_removal import remove_from_engine
from harness.runtime.session.session import Session
from harness.scenario.model import Scenario
from tests.runtime.docker.small_stack import in_engine, open_small

pytestmark = [
    pytest.mark.docker,
    pytest.mark.anyio,
    # The SDK leaves the socket of a connection that was refused to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AIRFLOW = 'airflow: {url: "http://server:8000", tasks_run_in: client, username: a, password: b, dag: d}'
WORKLOAD = "workload: {wait: {for_s: 1}}"
PAUSED = Scenario.model_validate(
    {"name": "paused", "about": "Paused.", "faults": [{"service": "server", "is": "pause", "for_s": 60}]}
)


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


async def error_of(
    work: Callable[[ContainerStack], Awaitable[object]], home: Path, session: Session, engine: Engine
) -> HarnessError:
    """What work on a small stack ends with, when its engine goes away."""

    async def drill() -> None:
        async with session:
            running = await open_small(home, session, engine, (AIRFLOW, WORKLOAD))
            async with while_it_lasts(running):
                await work(running)

    with pytest.raises(HarnessError) as caught:
        await drill()
    return caught.value


@pytest.fixture
async def session(engine: Engine) -> AsyncIterator[Session]:
    """A session; what it leaves in the engine is removed by hand, as `harness clean` does."""
    opened = await Session.open()
    yield opened
    assert in_engine(engine, opened.id) != []
    await asyncio.to_thread(remove_from_engine, engine.address, opened.id, quiet_s=0, deadline_s=30)
    assert in_engine(engine, opened.id) == []


@pytest.fixture
async def relayed(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """The engine, behind the relay."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{relay.path}")
    engine = await asyncio.to_thread(Engine.find)
    yield engine
    engine.close()
    gc.collect()


async def test_engine_that_goes_away_breaks_the_drill_off(
    session: Session, relay: Relay, relayed: Engine, tmp_path: Path
) -> None:
    """What a drill does is broken off within seconds; what is left is named, and removed once the engine is back."""
    gone_at_s = 0.0

    async def wait_for_nothing(_: ContainerStack) -> None:
        nonlocal gone_at_s
        gone_at_s = time.monotonic()
        await relay.go_away()
        await asyncio.Event().wait()

    error = await error_of(wait_for_nothing, tmp_path / "small", session, relayed)
    assert str(error).startswith(f"the drill was broken off: the Docker engine at unix://{relay.path} went away")
    assert "could not be removed whole" in error.evidence
    assert time.monotonic() - gone_at_s < 15


async def test_engine_that_goes_away_under_a_fault_is_told_once(
    session: Session, relay: Relay, relayed: Engine, tmp_path: Path
) -> None:
    """That the fault cannot be lifted any more, nor the witnesses be read, follows from it, and is not told as well."""
    told: list[Event] = []
    going: list[asyncio.Task[None]] = []

    def hear(entry: Entry) -> None:
        told.append(entry.event)
        if isinstance(entry.event, FaultObserved) and not going:
            going.append(asyncio.create_task(relay.go_away()))

    async def drill(running: ContainerStack) -> None:
        await Drill(running, PAUSED, seed=1, directory=tmp_path / "drill", listener=hear).run()

    error = await error_of(drill, tmp_path / "small", session, relayed)
    assert str(error).startswith("the drill was broken off: the Docker engine at")
    assert going
    (trouble,) = [event.what for event in told if isinstance(event, Trouble)]
    assert trouble == str(error)
