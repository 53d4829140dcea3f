"""One fault's life: wait for its trigger, switch it on, prove it, hold it, lift it, prove that it is healed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from harness.drill.grip import Bite, Grip
from harness.drill.link_grip import LinkGrip
from harness.drill.observer import Observer, RunWatch
from harness.drill.service_grip import ServiceGrip
from harness.drill.span import Span
from harness.errors import HarnessError
from harness.faults.link.fault import LinkFault
from harness.faults.registry import Fault
from harness.history.events import FaultHealed, FaultHit, FaultNeverCame, FaultOff, FaultOn
from harness.history.history import HistoryWriter
from harness.runtime.running import RunningStack
from harness.scenario.model import Injection
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, OrderAtBroker, TaskState

LOOK_EVERY_S = 1.0
HEAL_DEADLINE_S = 20.0
_POLL_S = 0.05


class Injector:
    """Brings one fault of a scenario.

    Args:
        fault_id: its name in the history.
        injection: what the scenario says of it.
        running: the stack.
        observer: tells when a trigger happened.
        history: where everything goes.
    """

    def __init__(
        self, fault_id: str, injection: Injection, running: RunningStack, observer: Observer, history: HistoryWriter
    ) -> None:
        self.id = fault_id
        self.injection = injection
        self.grip = grip_of(fault_id, injection, running)
        self.span = Span()
        self.armed = asyncio.Event()
        self.on = asyncio.Event()
        self._running = running
        self._observer = observer
        self._history = history

    @property
    def fault(self) -> Fault:
        """What goes wrong."""
        return self.injection.fault

    async def live(self, watch: RunWatch, run_began: asyncio.Event, run_over: asyncio.Event) -> None:
        """Live the whole life; when cancelled, the fault is lifted all the same.

        Args:
            watch: what is known of the drilled run.
            run_began: is set when that run was started.
            run_over: is set when it has ended, or has taken too long.
        """
        try:
            await self.grip.arm()
            self.armed.set()
            await self._wait_for_trigger(watch, run_began)
            try:
                await self._switch_on()
                await self._hold(run_over)
            finally:
                await self._lift()
            await self._prove_healed()
        finally:
            await self.grip.disarm()

    def never_came(self) -> None:
        """Note that the drill ended before the trigger happened."""
        cause = f"its trigger never happened: {self.injection.start}"
        self._history.add(FaultNeverCame(fault=self.id, cause=cause))

    async def _wait_for_trigger(self, watch: RunWatch, run_began: asyncio.Event) -> None:
        since_mono_s = time.monotonic()
        match self.injection.start:
            case BeforeRun():
                return
            case AtTime(at_s=at_s):
                await run_began.wait()
                await asyncio.sleep(at_s)
            case TaskState(task=task, state=state):
                await self._observer.wait_for(lambda: (task, state) in watch.reached, of_tasks=True)
            case OrderAtBroker(order=order):
                await self._observer.wait_for(lambda: watch.orders >= order, of_tasks=False)
            case NthConnection(connection=number):
                await run_began.wait()
                while self._connections(since_mono_s) < number:  # noqa: ASYNC110 - a log grows
                    await asyncio.sleep(_POLL_S)

    def _connections(self, since_mono_s: float) -> int:
        return sum(len(proxy.system_connections(since_mono_s)) for proxy in self.grip.proxies)

    async def _switch_on(self) -> None:
        self.span.log_sizes_on = self._log_sizes()
        self.span.on_at_s = self._history.now_s
        bites = await self._carry_out_switching_on()
        self.span.applied_at_s = self._history.now_s
        self._history.add(
            FaultOn(
                fault=self.id,
                target=self.grip.target,
                what=self.fault.about,
                cause=str(self.injection.start),
                took_s=self.span.applied_at_s - self.span.on_at_s,
            )
        )
        self._note(bites)
        self._history.add(await self.grip.look())
        self.on.set()

    async def _carry_out_switching_on(self) -> Sequence[Bite]:
        """Switch it on whole, even when cancelled meanwhile: an order that was given only half cannot be taken back."""
        order = asyncio.ensure_future(self.grip.switch_on())
        try:
            return await asyncio.shield(order)
        except asyncio.CancelledError:
            await asyncio.gather(order, return_exceptions=True)
            raise

    async def _hold(self, run_over: asyncio.Event) -> None:
        """Keep it on until its time or its event, and look at it once a second."""
        left_s = (self.span.applied_at_s or 0.0) + self.injection.lasts_s - self._history.now_s
        ends = asyncio.ensure_future(run_over.wait() if self.injection.until else asyncio.sleep(left_s))
        try:
            while not (await asyncio.wait([ends], timeout=LOOK_EVERY_S))[0]:
                self._history.add(await self.grip.look())
        finally:
            ends.cancel()

    async def _lift(self) -> None:
        try:
            if self.span.applied_at_s is not None:
                self._note(await self.grip.bites(self._history.monotonic_s(self.span.applied_at_s)))
        finally:
            self._history.add(FaultOff(fault=self.id, target=self.grip.target))
            self._lifted_at_s = self._history.now_s
            await self.grip.lift()

    async def _prove_healed(self) -> None:
        gives_up_at_s = self._history.now_s + HEAL_DEADLINE_S
        while (why_not := await self.grip.why_not_healed()) is not None:
            if self._history.now_s > gives_up_at_s:
                raise HarnessError(
                    f"{self.grip.target} not healed {HEAL_DEADLINE_S:g} s after the fault was lifted: {why_not}"
                )
            await asyncio.sleep(_POLL_S)
        self.span.off_at_s = self._history.now_s
        self.span.log_sizes_off = self._log_sizes()
        self._history.add(
            FaultHealed(
                fault=self.id,
                target=self.grip.target,
                took_s=self.span.off_at_s - self._lifted_at_s,
                proxy_replaced=self.grip.proxy_replaced,
            )
        )

    def _note(self, bites: Sequence[Bite]) -> None:
        for bite in bites:
            self._history.add(FaultHit(fault=self.id, witness=bite.witness, count=bite.count, detail=bite.detail))

    def _log_sizes(self) -> dict[str, int]:
        files = {name: self._running.logs.of_service(name) for name in self.grip.log_names}
        return {name: path.stat().st_size for name, path in files.items() if path.exists()}


def grip_of(fault_id: str, injection: Injection, running: RunningStack) -> Grip:
    """Take hold of what a fault is for."""
    fault = injection.fault
    if isinstance(fault, LinkFault):
        return LinkGrip(fault_id, fault, running.stack.link(injection.target), running)
    return ServiceGrip(fault_id, fault, injection.target, running)
