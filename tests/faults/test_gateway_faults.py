"""A fault of the gateway in a drill: ordered of the stub, counted on a real client's traffic, and taken back whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.clients.gateway import GatewayControl
from harness.clients.http import ask
from harness.drill.injector import Injector
from harness.drill.observer import Observer, RunWatch
from harness.history.events import FaultHealed, FaultHit, FaultObserved, FaultOn, Witness
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole
from harness.runtime.cache import cache_directory
from harness.runtime.effects.effect import CannotBeDone
from harness.runtime.effects.registry import effect_of
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.waiting import until
from harness.scenario.model import Injection
from tests.faults.gateway_subject import GATEWAY, buy, connected, described

pytestmark = pytest.mark.anyio
PROJECT = Path(__file__).parents[2]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    """The stack as local processes."""
    async with await Session.open() as session:
        toxiproxy = find_or_build(cache_directory(PROJECT))
        running = LocalStack(described(tmp_path), session, toxiproxy=toxiproxy, cache=tmp_path / "cache")
        try:
            await running.start()
            yield running
        finally:
            await running.close()


class Life:
    """One fault of the gateway, and the run around it.

    Args:
        stack: the running stack.
        history: where everything goes.
        written: the fault, as a scenario writes it.
    """

    def __init__(self, stack: LocalStack, history: HistoryWriter, **written: object) -> None:
        injection = Injection.model_validate({"service": GATEWAY, "until": "run-ended", **written})
        self.injector = Injector("fault-1", injection, stack, Observer(history, None), history, {})
        self.began, self.over = asyncio.Event(), asyncio.Event()
        watch = RunWatch(run_id="run", role=RunRole.DRILLED)
        self.task = asyncio.create_task(self.injector.live(watch, self.began, self.over))

    async def armed(self) -> None:
        """Let the run begin once the fault is armed."""
        await asyncio.wait_for(self.injector.armed.wait(), 10)
        self.began.set()

    async def ended(self) -> None:
        """End the run, and wait for what the fault's end takes."""
        self.over.set()
        await self.task


async def states(stack: LocalStack) -> list[str]:
    """Each fault of the stub, as it stands."""
    async with GatewayControl(stack.rewrite_addresses("http://gateway:4003")) as control:
        answer = await ask(control._client, "GET", "/faults")
        return [each["state"] for each in answer.json()["faults"]]


async def statuses(stack: LocalStack) -> list[str]:
    """What became of each order, by the broker's word."""
    async with GatewayControl(stack.rewrite_addresses("http://gateway:4003")) as control:
        return [order.status for order in await control.orders()]


async def test_third_order_is_rejected_and_the_stub_counts_it(stack: LocalStack, history: HistoryWriter) -> None:
    """The fault is on before that order is answered, hits once by the stub's count, and is lifted at the run's end."""
    life = Life(
        stack,
        history,
        **{"is": {"gateway": "order-rejected", "times": 1}, "from": {"request": "placeOrder", "nth": 3}},
    )
    await life.armed()
    client = await connected(stack)
    for number in range(4):
        trade = buy(client, orderRef=str(number))
        await until(trade.isDone, what=f"order {number} to be done", deadline_s=10)
    await asyncio.wait_for(life.injector.on.wait(), 10)
    await life.ended()
    client.disconnect()
    assert await statuses(stack) == ["Filled", "Filled", "Inactive", "Filled"]
    so_far = history.so_far()
    assert [event.cause for _, event in so_far.of(FaultOn)] == ["placeOrder number 3 is to be answered"]
    hits = [(event.witness, event.count) for _, event in so_far.of(FaultHit)]
    assert hits == [(Witness.GATEWAY, 1)]
    assert all(event.as_expected for _, event in so_far.of(FaultObserved))
    assert len(list(so_far.of(FaultHealed))) == 1
    assert await states(stack) == ["lifted"]


async def test_held_order_is_filled_once_the_fault_is_lifted(stack: LocalStack, history: HistoryWriter) -> None:
    """From before the run until a time has passed; then the order goes on."""
    life = Life(stack, history, **{"is": {"gateway": "order-held"}, "until": None, "for_s": 1})
    await life.armed()
    client = await connected(stack)
    await asyncio.wait_for(life.injector.on.wait(), 10)
    trade = buy(client)
    await until(lambda: trade.orderStatus.status == "PreSubmitted", what="the order to be held", deadline_s=10)
    await life.task
    await until(lambda: trade.orderStatus.status == "Filled", what="the order to be filled", deadline_s=10)
    client.disconnect()
    assert [event.count for _, event in history.so_far().of(FaultHit)] == [1]


async def test_fault_that_no_client_meets_hits_nothing(stack: LocalStack, history: HistoryWriter) -> None:
    """What the stub counts is no hit where no connection of the system's went to it: the harness's own never count."""
    life = Life(stack, history, **{"is": {"gateway": "daily-restart", "refuse_s": 0.1, "unsteady_s": 0}})
    await life.armed()
    await asyncio.wait_for(life.injector.on.wait(), 10)
    await life.ended()
    assert list(history.so_far().of(FaultHit)) == []
    assert len(list(history.so_far().of(FaultHealed))) == 1


async def test_fault_whose_request_never_came_is_taken_back(stack: LocalStack, history: HistoryWriter) -> None:
    """It waits at the stub, and must not meet the next run."""
    life = Life(stack, history, **{"is": {"gateway": "order-held"}, "from": {"request": "placeOrder", "nth": 2}})
    await life.armed()
    assert await states(stack) == ["armed"]
    life.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await life.task
    assert await states(stack) == ["lifted"]


async def test_gateway_that_does_not_answer_is_not_healed(stack: LocalStack) -> None:
    """The stub's word that a fault is lifted is not enough: a client has to get an answer."""
    other = effect_of(Injection.model_validate(_silent()).fault, stack, GATEWAY)
    await other.arm()
    effect = effect_of(Injection.model_validate(_silent()).fault, stack, GATEWAY)
    await effect.arm()
    await effect.put_on()
    await other.put_on()
    await effect.lift()
    assert not (seen := await effect.verify_healed()).as_expected
    assert seen.saw == "a client that asked for the time got no answer within 2 s"
    await other.lift()
    assert (await effect.verify_healed()).as_expected
    await effect.disarm()
    await other.disarm()


async def test_stub_of_another_version_is_told_of_in_a_line(stack: LocalStack) -> None:
    """What it does not take makes the drill say so, with the stub's own reason."""
    fault = Injection.model_validate(_silent()).fault
    unknown = fault.model_copy(update={"gateway": "of-tomorrow"})
    effect = effect_of(unknown, stack, GATEWAY)
    await effect.arm()
    with pytest.raises(CannotBeDone, match=r"does not take the fault of-tomorrow: is it another version .*no fault"):
        await effect.put_on()
    await effect.disarm()


async def test_service_that_is_no_gateway_stub_is_refused(stack: LocalStack) -> None:
    """Nothing would answer there."""
    effect = effect_of(Injection.model_validate(_silent()).fault, stack, "client")
    with pytest.raises(CannotBeDone, match="client is no gateway stub"):
        await effect.arm()


def _silent() -> dict[str, object]:
    return {"service": GATEWAY, "is": {"gateway": "silent"}, "until": "run-ended"}
