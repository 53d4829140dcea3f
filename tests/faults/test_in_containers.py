"""Each fault in a drill's own hands on a stack of containers: on, met through a link, healed, and nothing left of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.drill.injector import Injector
from harness.drill.observer import Observer, RunWatch
from harness.errors import HarnessError
from harness.faults.registry import SERVICE_FAULTS
from harness.history.events import FaultHealed, FaultHit, FaultOn, RunRole, ServiceEnded, ServiceSeen
from harness.history.history import HistoryWriter
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.session import Session
from harness.scenario.model import Injection
from tests.faults.rows import ROWS
from tests.runtime.docker.small_stack import ask, open_small, skip_without_images

pytestmark = [pytest.mark.anyio, pytest.mark.docker]
VOLUME = "/state"
SIZED = (
    "volumes: {state: {}}",
    "volumes: {state: {driver_opts: {type: tmpfs, device: tmpfs, o: size=16m}}}",
)
# What a client of the service comes to while the fault is on; of the others, it may be anything.
CLIENT_SEES = {
    "kill": "ConnectionRefusedError",
    "stop": "ConnectionRefusedError",
    "pause": "TimeoutError",
    "partition": "TimeoutError",
    "disk-full": "hello",
    "volume-read-only": "hello",
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The engine, with the images that small stacks need."""
    skip_without_images()
    found = Engine.find()
    yield found
    found.close()


@pytest.fixture
async def stack(engine: Engine, tmp_path: Path) -> AsyncIterator[ContainerStack]:
    """A small stack in containers, whose server has a volume with a size."""
    async with await Session.open() as session:
        running = await open_small(tmp_path / "stack", session, engine, SIZED)
        try:
            yield running
        finally:
            await running.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryWriter]:
    """An empty history."""
    with HistoryWriter(tmp_path / "history.jsonl") as writer:
        yield writer


def begin(
    stack: ContainerStack, history: HistoryWriter, name: str, **settings: object
) -> tuple[Injector, asyncio.Task[None]]:
    """Begin the life of a fault of the server."""
    how_long = {"for_s": 5} if SERVICE_FAULTS[name].LASTS else {}
    written = {"service": "server", "is": {name: settings}, "from": {"before": "run"}, **how_long}
    injector = Injector("fault-1", Injection.model_validate(written), stack, Observer(history, None), history)
    watch = RunWatch(run_id="run", role=RunRole.DRILLED)
    return injector, asyncio.create_task(injector.live(watch, asyncio.Event(), asyncio.Event()))


@pytest.mark.parametrize("name", SERVICE_FAULTS)
async def test_fault_lives_its_life(stack: ContainerStack, engine: Engine, history: HistoryWriter, name: str) -> None:
    """It is proven on, its client meets it over the link, it is proven healed, and its sidecar is gone."""
    stack.notices.listener = history.add
    settings = {**ROWS[name].settings, **({"path": VOLUME} if "path" in ROWS[name].settings else {})}
    injector, life = begin(stack, history, name, **settings)
    await asyncio.wait([asyncio.ensure_future(injector.on.wait()), life], return_when=asyncio.FIRST_COMPLETED)
    met = await asyncio.to_thread(ask, stack, "client", "fetch/server:8000")
    await life
    so_far = history.so_far()
    assert len(list(so_far.of(FaultOn))) == 1
    looks = [event for _, event in so_far.of(ServiceSeen)]
    assert looks
    assert all(look.as_expected for look in looks), looks
    assert met == CLIENT_SEES.get(name, met)
    assert [event.target for _, event in so_far.of(FaultHealed)] == ["server"]
    assert await asyncio.to_thread(ask, stack, "client", "fetch/server:8000") == "hello"
    # The server holds more than its limit from the beginning: the next that it wants may kill it.
    ended = {event.returncode for _, event in so_far.of(ServiceEnded)}
    assert ended <= ({137} if name == "memory-limit" else set())
    sidecars = engine.client.containers.list(all=True, filters={"label": "harness.sidecar-of=server"})
    assert not [each for each in sidecars if each.labels["harness.session"] == stack.session_id]


async def test_partition_is_met_by_calls_both_ways(stack: ContainerStack, history: HistoryWriter) -> None:
    """A call to a service that is cut off is told by the link's proxy, one of its own by the kernel."""
    injector, life = begin(stack, history, "partition")
    await injector.on.wait()
    await asyncio.to_thread(ask, stack, "client", "fetch/server:8000")
    await life
    told = {event.detail: event.count for _, event in history.so_far().of(FaultHit)}
    assert told["connections accepted under the fault"] >= 1


async def test_disk_without_a_size_is_not_filled(engine: Engine, history: HistoryWriter, tmp_path: Path) -> None:
    """Filling a volume that shares this machine's disk is refused in one line that says what to do."""
    async with await Session.open() as session:
        running = await open_small(tmp_path / "stack", session, engine)
        try:
            _, life = begin(running, history, "disk-full", path=VOLUME)
            with pytest.raises(
                HarnessError, match=r"/state of server has \d+ MiB free, too much to fill: give it a size"
            ):
                await life
            _, life = begin(running, history, "disk-full", path="/elsewhere")
            with pytest.raises(HarnessError, match="nothing is mounted at /elsewhere of server; there are: "):
                await life
        finally:
            await running.close()
