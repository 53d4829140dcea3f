"""A fault of a service in a drill: its links go with it, what it hit is told, and it is lifted also after an error."""

from __future__ import annotations

import asyncio

import pytest

from harness.drill.injector import Injector
from harness.drill.observer import Observer, RunWatch
from harness.errors import HarnessError
from harness.history.events import FaultHealed, FaultHit, FaultNeverCame, FaultObserved, FaultOff, FaultOn, ProbeOutcome
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole
from harness.runtime.local.stack import LocalStack
from harness.runtime.service import ServiceState
from harness.runtime.toxiproxy.link_probe import GREETINGS, ProbeResult
from harness.runtime.waiting import until
from harness.scenario.model import Injection

pytestmark = pytest.mark.anyio


def injector_of(stack: LocalStack, history: HistoryWriter, **written: object) -> Injector:
    """One fault, as a scenario would write it."""
    injection = Injection.model_validate({"from": {"before": "run"}, **written})
    return Injector("fault-1", injection, stack, Observer(history, None), history, {})


def begin(
    injector: Injector, run_over: asyncio.Event | None = None, run_began: asyncio.Event | None = None
) -> asyncio.Task[None]:
    """Begin its life; the run has begun unless its beginning is given."""
    watch = RunWatch(run_id="run", role=RunRole.DRILLED)
    if run_began is None:
        run_began = asyncio.Event()
        run_began.set()
    return asyncio.create_task(injector.live(watch, run_began, run_over or asyncio.Event()))


async def through_the_link(stack: LocalStack, timeout_s: float = 10.0) -> ProbeResult:
    """A link probe through the only link."""
    (link,) = stack.stack.links
    return await stack.proxy(link).probe(GREETINGS["http"], timeout_s)


async def test_link_of_a_killed_service_refuses(local_stack: LocalStack, history: HistoryWriter) -> None:
    """A client is refused while the service is down, as it would be without a proxy, and answered when it is back."""
    (link,) = local_stack.stack.links
    _, client = await asyncio.open_connection(*local_stack.link_address(link))
    await until(local_stack.proxy(link).open_system_connections, what="the connection in the log", deadline_s=5)
    injector = injector_of(local_stack, history, service="server", **{"is": "kill"}, for_s=0.5)
    life = begin(injector)
    await injector.on.wait()
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.REFUSED
    await life
    client.transport.abort()
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.ANSWERED
    so_far = history.so_far()
    assert [event.target for _, event in so_far.of(FaultOn)] == ["server"]
    assert all(event.as_expected for _, event in so_far.of(FaultObserved))
    assert [(event.count, event.detail) for _, event in so_far.of(FaultHit)] == [(1, "of the open connections ended")]
    assert [event.target for _, event in so_far.of(FaultHealed)] == ["server"]


async def test_call_of_a_paused_service_has_met_it(local_stack: LocalStack, history: HistoryWriter) -> None:
    """A client that calls a frozen service is counted; the harness's own probes are not."""
    (link,) = local_stack.stack.links
    injector = injector_of(local_stack, history, service="server", **{"is": "pause"}, for_s=3)
    life = begin(injector)
    await injector.on.wait()
    assert (await through_the_link(local_stack, timeout_s=0.5)).outcome is ProbeOutcome.SILENT
    _, client = await asyncio.open_connection(*local_stack.link_address(link))
    await life
    client.transport.abort()
    counts = [(event.count, event.detail) for _, event in history.so_far().of(FaultHit)]
    assert counts == [(1, "connections that stood still: not answered, or not even greeted")]


async def test_fault_lasts_as_long_as_the_run(local_stack: LocalStack, history: HistoryWriter) -> None:
    """It stays on, however long that takes, until the run is over; then it is lifted."""
    run_over = asyncio.Event()
    injector = injector_of(local_stack, history, link="client -> server", **{"is": "refused"}, until="run-ended")
    life = begin(injector, run_over)
    await until(lambda: len(list(history.so_far().of(FaultObserved))) > 2, what="looks at the fault", deadline_s=20)
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.REFUSED
    run_over.set()
    await life
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.ANSWERED


async def test_restart_is_over_by_itself(local_stack: LocalStack, history: HistoryWriter) -> None:
    """A restart needs no time to be named: the service was seen down, and is another process afterwards."""
    before = local_stack.service("server").process.pid
    await begin(injector_of(local_stack, history, service="server", **{"is": "restart"}))
    assert local_stack.service("server").process.pid != before
    assert [event.as_expected for _, event in history.so_far().of(FaultObserved)] == [True]


@pytest.mark.parametrize("fault", ["kill", "stop", "pause"])
async def test_fault_is_lifted_when_the_drill_is_broken_off(
    local_stack: LocalStack, history: HistoryWriter, fault: str
) -> None:
    """A life that is cancelled while its fault is on leaves a service that answers, on its links too."""
    injector = injector_of(local_stack, history, service="server", **{"is": fault}, for_s=60)
    life = begin(injector)
    await injector.on.wait()
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert await local_stack.service("server").state() is ServiceState.RUNNING
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.ANSWERED
    assert len(list(history.so_far().of(FaultOff))) == 1


async def test_fault_is_lifted_when_it_was_cancelled_while_it_came_on(
    local_stack: LocalStack, history: HistoryWriter
) -> None:
    """An order that was given is carried out before it is taken back, so that nothing of it happens afterwards."""
    injector = injector_of(local_stack, history, service="server", **{"is": "stop"}, for_s=60)
    life = begin(injector)
    await until(lambda: injector.span.on_at_s is not None, what="the order", deadline_s=5, poll_s=0)
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life
    assert await local_stack.service("server").state() is ServiceState.RUNNING
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.ANSWERED


async def test_fault_of_a_link_is_told_by_its_probes(local_stack: LocalStack, history: HistoryWriter) -> None:
    """Faults of links live the same life."""
    injector = injector_of(local_stack, history, link="client -> server", **{"is": "refused"}, for_s=0.2)
    await begin(injector)
    told = [event.saw for _, event in history.so_far().of(FaultObserved)]
    assert told == ["a probe through the link was 'refused'"]
    assert len(list(history.so_far().of(FaultHealed))) == 1


async def test_fault_that_needs_a_container_says_so(local_stack: LocalStack, history: HistoryWriter) -> None:
    """Tried where it cannot be done, it ends in one clear line, and nothing has happened to the service."""
    with pytest.raises(HarnessError, match="the local runtime cannot do partition"):
        await begin(injector_of(local_stack, history, service="server", **{"is": "partition"}, for_s=1))
    assert await local_stack.service("server").state() is ServiceState.RUNNING


async def test_fault_does_not_come_on_a_link_that_another_holds(
    local_stack: LocalStack, history: HistoryWriter
) -> None:
    """Where the times could not be known beforehand, the later fault stays off, and the history says why."""
    held: dict[str, str] = {}
    lives = []
    for number, fault in enumerate(("refused", "reset"), start=1):
        written = {"link": "client -> server", "is": fault, "from": {"before": "run"}, "for_s": 0.5}
        injection = Injection.model_validate(written)
        injector = Injector(f"fault-{number}", injection, local_stack, Observer(history, None), history, held)
        lives.append(begin(injector))
        await injector.on.wait()
    await asyncio.gather(*lives)
    so_far = history.so_far()
    assert [event.fault for _, event in so_far.of(FaultOn)] == ["fault-1"]
    (told,) = [event for _, event in so_far.of(FaultNeverCame)]
    assert told.fault == "fault-2"
    assert "happened while fault-1 was on client -> server:8000: let one end first" in told.cause
    assert held == {}
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.ANSWERED


@pytest.mark.parametrize(("target", "fault"), [("link", "refused"), ("service", "stop")])
async def test_refused_attempt_is_a_hit(
    local_stack: LocalStack, history: HistoryWriter, target: str, fault: str
) -> None:
    """A system that says nothing of it was hit when it tried to connect, and the harness's own probes were not it."""
    (link,) = local_stack.stack.links
    if (watched := local_stack.proxy(link).watch_attempts(link.port)) is None:
        pytest.skip("needs the capability CAP_NET_RAW")
    watched.close()
    run_over = asyncio.Event()
    on = {target: "client -> server" if target == "link" else "server"}
    injector = injector_of(local_stack, history, **on, **{"is": fault}, until="run-ended")
    life = begin(injector, run_over)
    await injector.on.wait()
    assert (await through_the_link(local_stack)).outcome is ProbeOutcome.REFUSED
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*local_stack.link_address(link))
    run_over.set()
    await life
    counts = [(event.count, event.detail) for _, event in history.so_far().of(FaultHit)]
    assert counts == [(1, "attempts to connect that were refused")]
