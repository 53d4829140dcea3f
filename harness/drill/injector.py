"""One fault's life: wait for its trigger, switch it on, prove it, hold it, lift it, prove that it is healed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.drill.observer import Observer, RunWatch
from harness.errors import HarnessError
from harness.faults.link.fault import LinkFault
from harness.history.events import CanarySaw, FaultHealed, FaultMet, FaultNeverCame, FaultOff, FaultOn, Sight, Witness
from harness.history.history import HistoryWriter
from harness.runtime.canary import GREETINGS, Seen, send_canary
from harness.runtime.connections import connected_clients
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.scenario.model import Injection
from harness.scenario.triggers import AtTime, BeforeRun, NthConnection, OrderAtBroker, TaskState
from harness.stack.link import Link

CANARY_EVERY_S = 1.0
HEAL_DEADLINE_S = 10.0
_POLL_S = 0.05
_LATENCY_ALLOWANCE_S = 2.0


@dataclass(slots=True)
class Span:
    """When a fault was on, and what the logs of its client held at both ends.

    Args:
        on_at_s: when the order to switch it on was given; None when it never was.
        applied_at_s: when that order had been carried out: what the link carried before then did not meet the fault.
        off_at_s: when it was healed.
        log_sizes_on: the size of the client's log files when it came on.
        log_sizes_off: their size when it was healed.
        canary_ports: the ports from which canaries went while it was on.
    """

    on_at_s: float | None = None
    applied_at_s: float | None = None
    off_at_s: float | None = None
    log_sizes_on: Mapping[str, int] = field(default_factory=dict)
    log_sizes_off: Mapping[str, int] = field(default_factory=dict)
    canary_ports: set[int] = field(default_factory=set)


class Injector:
    """Brings one fault of a scenario.

    Args:
        fault_id: its name in the history.
        injection: what the scenario says of it.
        link: the link it is for.
        running: the stack.
        observer: tells when a trigger happened.
        history: where everything goes.
    """

    def __init__(
        self,
        fault_id: str,
        injection: Injection,
        link: Link,
        running: RunningStack,
        observer: Observer,
        history: HistoryWriter,
    ) -> None:
        self.id = fault_id
        self.injection = injection
        self.link = link
        self.span = Span()
        self.on = asyncio.Event()
        self._running = running
        self._observer = observer
        self._history = history

    @property
    def fault(self) -> LinkFault:
        """What goes wrong."""
        return self.injection.fault

    @property
    def proxy(self) -> LinkProxy:
        """The link's proxy, as it is now."""
        return self._running.proxy(self.link)

    async def live(self, watch: RunWatch, run_began: asyncio.Event) -> None:
        """Live the whole life; when cancelled, the fault is lifted all the same."""
        connections_before = len(self.proxy.accepted_connections())
        await self._wait_for_trigger(watch, run_began, connections_before)
        try:
            await self._switch_on()
            await self._hold()
        finally:
            await self._lift()
        await self._prove_healed()

    def never_came(self) -> None:
        """Note that the drill ended before the trigger happened."""
        cause = f"its trigger never happened: {self.injection.start}"
        self._history.add(FaultNeverCame(fault=self.id, cause=cause))

    async def _wait_for_trigger(self, watch: RunWatch, run_began: asyncio.Event, connections_before: int) -> None:
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
                while len(self.proxy.accepted_connections()) - connections_before < number:  # noqa: ASYNC110 - a log grows
                    await asyncio.sleep(_POLL_S)

    async def _switch_on(self) -> None:
        self.span.log_sizes_on = self._log_sizes()
        began_s = self._history.now_s
        self.span.on_at_s = began_s
        open_connections = len(connected_clients(self._running.link_address(self.link)[1]))
        await apply_fault(self.proxy, self.fault)
        self.span.applied_at_s = self._history.now_s
        took_s = self.span.applied_at_s - began_s
        self._history.add(
            FaultOn(
                fault=self.id,
                link=str(self.link),
                what=self.fault.about,
                cause=str(self.injection.start),
                took_s=took_s,
            )
        )
        if self.fault.CUTS and open_connections:
            self._history.add(
                FaultMet(fault=self.id, witness=Witness.PROXY, count=open_connections, detail="open connections cut")
            )
        await self._canary()
        self.on.set()

    async def _hold(self) -> None:
        ends_at_s = (self.span.on_at_s or 0.0) + self.injection.for_s
        while (left_s := ends_at_s - self._history.now_s) > CANARY_EVERY_S:
            await asyncio.sleep(CANARY_EVERY_S)
            await self._canary()
        await asyncio.sleep(max(0.0, left_s))

    async def _lift(self) -> None:
        if not self.fault.CUTS:
            self._count_connections()
        self._history.add(FaultOff(fault=self.id, link=str(self.link)))
        self._lifted_at_s = self._history.now_s
        self._healed = await self.proxy.heal()

    async def _prove_healed(self) -> None:
        gives_up_at_s = self._history.now_s + HEAL_DEADLINE_S
        while True:
            seen = await self._send(1.0)
            if seen.sight is Sight.ANSWERED:
                break
            if self._history.now_s > gives_up_at_s:
                raise HarnessError(
                    f"{self.link} not healed {HEAL_DEADLINE_S:g} s after the fault was lifted: it is '{seen.sight}'"
                )
            await asyncio.sleep(_POLL_S)
        took_s = self._history.now_s - self._lifted_at_s
        self.span.off_at_s = self._history.now_s
        self.span.log_sizes_off = self._log_sizes()
        self._history.add(
            FaultHealed(
                fault=self.id, link=str(self.link), took_s=took_s, proxy_replaced=self._healed.replaced is not None
            )
        )

    async def _canary(self) -> None:
        at_least_s = self.fault.at_least_s
        seen = await self._send(at_least_s + _LATENCY_ALLOWANCE_S if at_least_s else 1.0)
        expected = seen.sight in self.fault.SEEN_AS and seen.elapsed_s >= at_least_s
        self._history.add(
            CanarySaw(
                link=str(self.link), sight=seen.sight, elapsed_s=seen.elapsed_s, fault=self.id, as_expected=expected
            )
        )

    async def _send(self, timeout_s: float) -> Seen:
        greeting = GREETINGS[self._running.stack.canaries.get((self.link.server, self.link.port), "tcp")]
        seen = await send_canary(self._running.link_address(self.link), greeting, timeout_s)
        if seen.client_port is not None:
            self.span.canary_ports.add(seen.client_port)
        return seen

    def _count_connections(self) -> None:
        """The proxy's own log tells which connections came while the fault was on; the canaries' do not count."""
        if self.span.applied_at_s is None:
            return
        since_s = self._history.monotonic_s(self.span.applied_at_s)
        met = [
            connection
            for connection in self.proxy.accepted_connections()
            if connection.at_mono_s >= since_s and connection.client_port not in self.span.canary_ports
        ]
        if met:
            self._history.add(
                FaultMet(
                    fault=self.id, witness=Witness.PROXY, count=len(met), detail="connections accepted under the fault"
                )
            )

    def _log_sizes(self) -> dict[str, int]:
        path = self._running.log_file(self.link.client)
        return {self.link.client: path.stat().st_size} if path.exists() else {}


async def apply_fault(proxy: LinkProxy, fault: LinkFault) -> None:
    """Switch a fault on."""
    if fault.CUTS:
        await proxy.disable()
    for toxic in fault.toxics():
        await proxy.add_toxic(toxic)
