"""One fault's life: wait for its trigger, switch it on, prove it, hold it, lift it, prove that it is healed."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

from harness.drill.observer import Observer, RunWatch
from harness.drill.span import Span
from harness.errors import HarnessError
from harness.faults.fault import Fault
from harness.history.events import FaultHealed, FaultHit, FaultNeverCame, FaultObserved, FaultOff, FaultOn
from harness.history.history import HistoryWriter
from harness.runtime.effects.effect import Hit
from harness.runtime.effects.gateway import GatewayEffect
from harness.runtime.effects.registry import effect_of
from harness.runtime.running import RunningStack
from harness.runtime.waiting import until
from harness.scenario.model import Injection
from harness.scenario.overlaps import held_by
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, NthRequest, OrderAtBroker, TaskState

OBSERVE_EVERY_S = 1.0
HEAL_DEADLINE_S = 20.0


class Injector:
    """Brings one fault of a scenario.

    Args:
        fault_id: its name in the history.
        injection: what the scenario says of it.
        running: the stack.
        observer: tells when a trigger happened.
        history: where everything goes.
        held: for each link and service that a fault holds now, the fault's id; shared by the injectors of a drill.
    """

    def __init__(
        self,
        fault_id: str,
        injection: Injection,
        running: RunningStack,
        observer: Observer,
        history: HistoryWriter,
        held: dict[str, str],
    ) -> None:
        self.id = fault_id
        self.injection = injection
        self.effect = effect_of(injection.fault, running, injection.target)
        self.span = Span()
        self.armed = asyncio.Event()
        self.on = asyncio.Event()
        self._lifted = True
        # One that could not be lifted must not be forgotten with another drill's fault of the same name.
        self._undo_key = f"{fault_id} {secrets.token_hex(4)}"
        self._before: tuple[asyncio.Event, ...] = ()
        self._running = running
        self._observer = observer
        self._history = history
        self._held = held
        self._holds = held_by(injection, running.stack)

    @property
    def fault(self) -> Fault:
        """What goes wrong."""
        return self.injection.fault

    def wait_for(self, others: Iterable[Injector]) -> None:
        """Come on only once these are armed: what they see of their targets before should not be this fault's doing."""
        self._before = tuple(each.armed for each in others)

    async def live(self, watch: RunWatch, run_began: asyncio.Event, run_over: asyncio.Event) -> None:
        """Live the whole life; when cancelled, the fault is lifted all the same.

        Args:
            watch: what is known of the drilled run.
            run_began: is set when that run was started.
            run_over: is set when it has ended, or has taken too long.
        """
        try:
            await self._arm()
            self.armed.set()
            for armed in self._before:
                await armed.wait()
            await self._wait_for_trigger(watch, run_began)
            if not self._take_hold():
                return
            try:
                await self._switch_on()
                await self._hold(run_began, run_over)
            finally:
                await self._lift()
            await self._prove_healed()
            self._let_others_hold()
        finally:
            await self._disarm()

    def never_came(self) -> None:
        """Note that the drill ended before the trigger happened."""
        cause = f"its trigger never happened: {self.injection.start}"
        self._history.add(FaultNeverCame(fault=self.id, cause=cause))

    def _take_hold(self) -> bool:
        """Hold the fault's links and service; not while another fault does, whose proofs would see this one."""
        if taken := sorted(self._holds & self._held.keys()):
            other = self._held[taken[0]]
            cause = f"its trigger ({self.injection.start}) happened while {other} was on {taken[0]}: let one end first"
            self._history.add(FaultNeverCame(fault=self.id, cause=cause))
            self.on.set()
            return False
        self._held.update(dict.fromkeys(self._holds, self.id))
        return True

    def _let_others_hold(self) -> None:
        for each in self._holds:
            self._held.pop(each, None)

    async def _arm(self) -> None:
        await self.effect.arm()
        if self._running.undo_log is not None:
            self._running.undo_log.note(self._undo_key, await self.effect.undo_steps())
        match self.injection.start, self.effect:
            case NthRequest(request=request, nth=nth), GatewayEffect() as effect:
                # Before the run: the stub counts from here.
                await effect.arm_at(request, nth)

    async def _disarm(self) -> None:
        # What cannot be removed goes with the session.
        with suppress(HarnessError):
            await self.effect.disarm()
        # What could not be lifted is left to the undo log, which is carried out when the session ends.
        if self._running.undo_log is not None and self._lifted:
            self._running.undo_log.forget(self._undo_key)

    async def _observe(self) -> None:
        seen = await self.effect.observe()
        self._history.add(
            FaultObserved(fault=self.id, target=self.effect.target, saw=seen.saw, as_expected=seen.as_expected)
        )

    async def _wait_for_trigger(self, watch: RunWatch, run_began: asyncio.Event) -> None:
        match self.injection.start:
            case BeforeRun():
                return
            case NthRequest() if isinstance(self.effect, GatewayEffect):
                await until(
                    self.effect.has_come,
                    what=f"the gateway: {self.injection.start}",
                    deadline_s=math.inf,  # the drill ends the wait, with the run
                )
            case AtTime(at_s=at_s):
                await run_began.wait()
                await asyncio.sleep(at_s)
            case TaskState(task=task, state=state):
                await self._observer.wait_for(lambda: (task, state) in watch.reached, of_tasks=True)
            case OrderAtBroker(order=order):
                await self._observer.wait_for(lambda: watch.orders >= order, of_tasks=False)
            case NthConnection(connection=number):
                await run_began.wait()
                since_mono_s = time.monotonic()
                await until(
                    lambda: self._connections(since_mono_s) >= number,
                    what=f"connection {number} over {self.effect.target}",
                    deadline_s=math.inf,  # the drill ends the wait, with the run
                )

    def _connections(self, since_mono_s: float) -> int:
        return sum(len(proxy.system_connections(since_mono_s)) for proxy in self.effect.proxies)

    async def _switch_on(self) -> None:
        self.span.log_sizes_on = self._log_sizes()
        self.span.on_at_s = self._history.now_s
        self._lifted = False
        hits = await self._carry_out_switching_on()
        self.span.applied_at_s = self._history.now_s
        self._history.add(
            FaultOn(
                fault=self.id,
                target=self.effect.target,
                what=self.fault.about,
                cause=str(self.injection.start),
                took_s=self.span.applied_at_s - self.span.on_at_s,
            )
        )
        self._note(hits)
        await self._observe()
        self.on.set()

    async def _carry_out_switching_on(self) -> Sequence[Hit]:
        """Switch it on whole, even when cancelled meanwhile: an order that was given only half cannot be taken back."""
        order = asyncio.ensure_future(self.effect.put_on())
        try:
            return await asyncio.shield(order)
        except asyncio.CancelledError:
            await asyncio.gather(order, return_exceptions=True)
            raise

    async def _hold(self, run_began: asyncio.Event, run_over: asyncio.Event) -> None:
        """Keep it on until its time or its event, and observe it once a second."""
        ends = asyncio.ensure_future(run_over.wait() if self.injection.until else self._time(run_began))
        try:
            while not (await asyncio.wait([ends], timeout=OBSERVE_EVERY_S))[0]:
                await self._observe()
        finally:
            ends.cancel()

    async def _time(self, run_began: asyncio.Event) -> None:
        """Let its time pass: from when it was on, or of one that is on before the run, from the run's start."""
        since_s = self.span.applied_at_s or 0.0
        if isinstance(self.injection.start, BeforeRun) and self.injection.lasts_s and not run_began.is_set():
            await run_began.wait()
            since_s = self._history.now_s
        await asyncio.sleep(since_s + self.injection.lasts_s - self._history.now_s)

    async def _lift(self) -> None:
        try:
            if self.span.applied_at_s is not None:
                self._note(await self.effect.hits(self._history.monotonic_s(self.span.applied_at_s)))
        finally:
            self._history.add(FaultOff(fault=self.id, target=self.effect.target))
            self.span.lifted_at_s = self._history.now_s
            self._hits_until_now()
            await self.effect.lift()
            self._lifted = True
        if self.span.applied_at_s is not None:
            self._note(await self.effect.hits_when_lifted())

    async def _prove_healed(self) -> None:
        try:
            await self.effect.until_healed(HEAL_DEADLINE_S)
        except HarnessError:
            self._lifted = False
            raise
        self.span.off_at_s = self._history.now_s
        # A Toxiproxy that was replaced ended connections: what is told of that is not the fault's.
        if self.effect.HITS_UNTIL_HEALED and not self.effect.proxy_replaced:
            self._hits_until_now()
        self._history.add(
            FaultHealed(
                fault=self.id,
                target=self.effect.target,
                took_s=self.span.off_at_s - self.span.lifted_at_s,
                proxy_replaced=self.effect.proxy_replaced,
            )
        )

    def _hits_until_now(self) -> None:
        self.span.hits_until_s = self._history.now_s
        self.span.log_sizes_hit = self._log_sizes()

    def _note(self, hits: Sequence[Hit]) -> None:
        for hit in hits:
            event = FaultHit(
                fault=self.id,
                witness=hit.witness,
                count=hit.count,
                detail=hit.detail,
                are_attempts=hit.are_attempts,
            )
            self._history.add(event)

    def _log_sizes(self) -> dict[str, int]:
        files = {name: self._running.logs.of_service(name) for name in self.effect.log_names}
        return {name: path.stat().st_size for name, path in files.items() if path.exists()}
