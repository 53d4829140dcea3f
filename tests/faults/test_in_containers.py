"""Each fault in a drill's own hands on a stack of containers: on, met through a link, healed, and nothing left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.drill.injector import Injector
from harness.drill.observer import Observer, RunWatch
from harness.errors import HarnessError
from harness.faults.registry import BUILT_IN
from harness.faults.service.packet_loss import PacketLoss
from harness.history.events import FaultHealed, FaultHit, FaultObserved, FaultOn, ServiceEnded
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.effects.registry import effect_of
from harness.runtime.session.session import Session
from harness.scenario.model import Injection
from tests.faults.rows import ROWS
from tests.runtime.docker.small_stack import ask, open_small, skip_without_images

pytestmark = pytest.mark.docker
VOLUME = "/state"
SIZED = (
    "volumes: {state: {}}",
    "volumes: {state: {driver_opts: {type: tmpfs, device: tmpfs, o: size=16m}}}",
)
FETCH = "fetch/server:8000"
# Those of the gateway need its stub: the contract of all faults has it, on both runtimes.
OF_SERVICES = [name for name, fault in BUILT_IN.items() if fault.TARGET == "service" and name != "gateway"]
# What a client of the service comes to while the fault is on; of the others, it may be anything.
CLIENT_SEES = {
    "kill": "ConnectionRefusedError",
    "stop": "ConnectionRefusedError",
    "pause": "TimeoutError",
    "partition": "TimeoutError",
    "disk-full": "hello",
    "volume-read-only": "hello",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """The engine, with the images that small stacks need."""
    skip_without_images()
    found = Engine.find()
    yield found
    found.close()


@pytest.fixture(scope="module")
def stack(engine: Engine, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerStack]:
    """A small stack in containers, whose server has a volume with a size; each test leaves it as it was."""
    session = runner.run(Session.open())
    try:
        running = runner.run(open_small(tmp_path_factory.mktemp("stack"), session, engine, SIZED))
        yield running
        runner.run(running.close())
    finally:
        runner.run(session.close())


async def live(stack: ContainerStack, history: HistoryWriter, name: str, **settings: object) -> str:
    """Live a fault of the server whole; what a client came to over its link while the fault was on."""
    lasts = {"until": "run-ended"} if BUILT_IN[name].LASTS else {}
    written = {"service": "server", "is": {name: settings}, "from": {"before": "run"}, **lasts}
    injector = Injector("fault-1", Injection.model_validate(written), stack, Observer(history, None), history, {})
    run_over = asyncio.Event()
    watch = RunWatch(run_id="run", role=RunRole.DRILLED)
    life = asyncio.create_task(injector.live(watch, asyncio.Event(), run_over))
    on = asyncio.ensure_future(injector.on.wait())
    await asyncio.wait([on, life], return_when=asyncio.FIRST_COMPLETED)
    on.cancel()
    met = ""
    # A service that its limit kills has no answer; nor has a fault that could not be put on.
    with suppress(OSError):
        met = await asyncio.to_thread(ask, stack, "client", FETCH)
    run_over.set()
    await life
    return met


@pytest.mark.parametrize("name", OF_SERVICES)
def test_fault_lives_its_life(
    stack: ContainerStack, runner: asyncio.Runner, engine: Engine, history: HistoryWriter, name: str
) -> None:
    """It is proven on, its client meets it over the link, it is proven healed, and its sidecar is gone."""
    stack.notices.listener = history.add
    settings = {**ROWS[name].settings, **({"path": VOLUME} if "path" in ROWS[name].settings else {})}
    met = runner.run(live(stack, history, name, **settings))
    so_far = history.so_far()
    assert len(list(so_far.of(FaultOn))) == 1
    observed = [event for _, event in so_far.of(FaultObserved)]
    assert observed
    assert all(event.as_expected for event in observed), observed
    assert met == CLIENT_SEES.get(name, met)
    assert [event.target for _, event in so_far.of(FaultHealed)] == ["server"]
    assert ask(stack, "client", FETCH) == "hello"
    # The server holds more than its limit from the beginning: the next that it wants may kill it.
    ended = {event.returncode for _, event in so_far.of(ServiceEnded)}
    assert ended <= ({137} if name == "memory-limit" else set())
    sidecars = engine.client.containers.list(all=True, filters={"label": "harness.sidecar-of=server"})
    assert not [each for each in sidecars if each.labels["harness.session"] == stack.session_id]


def test_partition_is_met_by_calls_both_ways(
    stack: ContainerStack, runner: asyncio.Runner, history: HistoryWriter
) -> None:
    """A call to a service that is cut off is told by the link's proxy, one of its own by the kernel."""
    runner.run(live(stack, history, "partition"))
    told = {event.detail: event.count for _, event in history.so_far().of(FaultHit)}
    assert told["connections that stood still: not answered, or not even greeted"] >= 1


def test_refused_attempt_of_a_container_is_counted(
    stack: ContainerStack, runner: asyncio.Runner, history: HistoryWriter
) -> None:
    """A client that is refused is counted from the packets in its own network, where this machine lets us see them."""
    (link, *_) = stack.stack.links_to("server")
    watched = stack.proxy(link).watch_attempts(link.port)
    if watched is None or stack.proxy(link).is_forwarded:
        pytest.skip("needs the capability CAP_NET_RAW, and an engine on this machine")
    watched.close()
    assert runner.run(live(stack, history, "stop")) == "ConnectionRefusedError"
    told = {event.detail: event.count for _, event in history.so_far().of(FaultHit)}
    assert told["attempts to connect that were refused"] >= 1


@pytest.mark.parametrize("name", ["pause", "partition"])
def test_hits_are_of_the_client_alone(
    stack: ContainerStack, runner: asyncio.Runner, history: HistoryWriter, name: str
) -> None:
    """Of a call that is not answered the witness in the container tells, once, and of none of the harness's probes."""
    assert runner.run(live(stack, history, name)) == "TimeoutError"
    told = {event.detail: event.count for _, event in history.so_far().of(FaultHit)}
    assert told["connections that stood still: not answered, or not even greeted"] == 1


def test_lost_packets_of_the_harness_are_no_hit(stack: ContainerStack, runner: asyncio.Runner) -> None:
    """With every packet lost, and no client that calls, what is dropped is the harness's own, and counts nothing."""
    effect = effect_of(PacketLoss(percent=99), stack, "server")

    async def without_a_client() -> None:
        await effect.arm()
        try:
            await effect.put_on()
            assert (await effect.observe()).as_expected
            assert await effect.hits(0) == ()
        finally:
            await effect.lift()
            await effect.until_healed(20)
            await effect.disarm()

    runner.run(without_a_client())


def test_disk_without_a_size_is_not_filled(
    engine: Engine, runner: asyncio.Runner, history: HistoryWriter, tmp_path: Path
) -> None:
    """Filling a volume that shares this machine's disk is refused in one line that says what to do."""

    async def attempts() -> None:
        async with await Session.open() as session:
            running = await open_small(tmp_path / "stack", session, engine)
            try:
                with pytest.raises(
                    HarnessError, match=r"/state of server has \d+ MiB free, too much to fill: give it a size"
                ):
                    await live(running, history, "disk-full", path=VOLUME)
                with pytest.raises(HarnessError, match="nothing is mounted at /elsewhere of server; there are: "):
                    await live(running, history, "disk-full", path="/elsewhere")
            finally:
                await running.close()

    runner.run(attempts())
