"""What effects on services share: the ways to a service, its links, and its return to normal."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from harness.errors import ControlHung, HarnessError
from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome
from harness.runtime.effects.effect import Effect, Hit, Observation
from harness.runtime.effects.endpoint import MUTE, Endpoint, probe_all, told
from harness.runtime.effects.link_hits import TOLD_WITHIN_S, still_hits
from harness.runtime.effects.usual import Usual
from harness.runtime.running import RunningStack
from harness.runtime.service import ServiceState
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.toxiproxy.link_probe import ProbeResult
from harness.runtime.toxiproxy.link_proxy import LinkProxy

ServiceFaultT = TypeVar("ServiceFaultT", bound=ServiceFault)


class ServiceEffect(Effect[ServiceFaultT]):
    """One fault on one service, with every link to it in mind.

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the service's name.

    Class attributes:
        STATE: what the service does while the fault is on, by the word of what runs it.
        CALLS_MEET_IT: what is said to the service cannot but meet the fault; otherwise the kernel's counters or the
            clients' logs have to tell.
    """

    STATE: ClassVar[ServiceState] = ServiceState.RUNNING
    CALLS_MEET_IT: ClassVar[bool] = False

    def __init__(self, fault: ServiceFaultT, running: RunningStack, target: str) -> None:
        links = tuple(link for link in running.stack.links if target in (link.server, link.client))
        links_to = running.stack.links_to(target)
        super().__init__(
            fault,
            running,
            target,
            links=links,
            log_names=tuple(dict.fromkeys([target, *(link.client for link in links)])),
            proxies=tuple(running.proxy(link) for link in links_to),
        )
        self.service = running.service(target)
        ports = sorted({link.port for link in links_to})
        self.endpoints = tuple(Endpoint.direct(running, target, port) for port in ports)
        self.link_endpoints = tuple(Endpoint.through(running, link) for link in links_to)
        self._switched_off: tuple[LinkProxy, ...] = ()
        self._usual: dict[str, Usual] = {}

    async def arm(self) -> None:
        """See what the ports that have no protocol do without the fault: some speak first, some are silent."""
        mute = tuple(each for each in (*self.endpoints, *self.link_endpoints) if each.protocol == MUTE)
        usual = await asyncio.gather(*(each.usual(probes=1) for each in mute))
        self._usual = {each.name: what for each, what in zip(mute, usual, strict=True)}

    @abc.abstractmethod
    async def switch_on(self) -> None:
        """Make the fault true on the service itself."""

    @abc.abstractmethod
    async def switch_off(self) -> None:
        """Take it away from the service itself, however far it had come; also when it never was on."""

    @abc.abstractmethod
    async def observe_service(self) -> Observation:
        """See whether it is true on the service itself."""

    def switch_off_steps(self) -> Sequence[UndoStep]:
        """What would switch it off if the harness died; asked once it is armed."""
        return ()

    async def counted(self) -> Sequence[Hit]:
        """What the kernel has counted of the service meeting the fault; asked before it is lifted."""
        return ()

    async def put_on(self) -> Sequence[Hit]:
        """Make it true."""
        await self.switch_on()
        return ()

    async def observe(self) -> Observation:
        """Look at the service; one that the fault made end takes its links with it, until it is back by its policy."""
        observation = await self.observe_service()
        state = await self.service.state()
        if state is ServiceState.ENDED:
            await self.switch_links_off()
        elif state is self.STATE:
            await self.switch_links_on()
        return observation

    async def hits(self, since_mono_s: float) -> Sequence[Hit]:
        """What the kernel has counted, and the connections on which bytes stood still where they cannot but do so."""
        counted = await self.counted()
        if not self.CALLS_MEET_IT:
            return counted
        await asyncio.sleep(TOLD_WITHIN_S)
        return (*counted, *still_hits(self.proxies, since_mono_s))

    async def lift(self) -> None:
        """Take it away, and switch the links on again once the service is back."""
        try:
            await self.switch_off()
        finally:
            await self.switch_links_on()

    async def verify_healed(self) -> Observation:
        """The service should be as before; proxies that are stuck although it answers are replaced."""
        observation = await self.observe_healed()
        if not observation.as_expected:
            await self._renew_stuck()
        return observation

    async def observe_healed(self) -> Observation:
        """See whether the service is as before: it runs, and a probe on every way to it is answered."""
        state = await self.service.state()
        if state is not ServiceState.RUNNING:
            return Observation(as_expected=False, saw=f"{self.target} is {state}")
        endpoints = (*self.endpoints, *self.link_endpoints)
        results = await probe_all(endpoints)
        return Observation(self._are_as_usual(endpoints, results), told(results, f"{self.target} is {state}"))

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What gives the service back what it had, has it run, and takes every fault of its links away."""
        links = [step for link in self.links for step in self.running.proxy(link).undo_steps]
        return (*self.switch_off_steps(), *await self.service.undo_steps(), *links)

    async def start_if_ended(self) -> bool:
        """Start the service if the fault made it end; whether it had."""
        if await self.service.state() is not ServiceState.ENDED:
            return False
        await self.service.start()
        return True

    async def observe_endpoints(self, endpoints: tuple[Endpoint, ...]) -> Observation:
        """See what the service does, and what probes of it come to; what a port does anyway tells nothing."""
        state = await self.service.state()
        if state is not self.STATE:
            return Observation(as_expected=False, saw=f"{self.target} is {state}, not {self.STATE}")
        expected = self.fault.PROBE_OUTCOMES
        telling = tuple(each for each in endpoints if self._tells(each, expected))
        results = await probe_all(telling)
        as_expected = all(result.outcome in expected for result in results.values())
        return Observation(as_expected, told(results, f"{self.target} is {state}"))

    def _tells(self, endpoint: Endpoint, expected: frozenset[str]) -> bool:
        if endpoint.protocol != MUTE:
            return True
        usual = self._usual.get(endpoint.name)
        return ProbeOutcome.REFUSED in expected if usual is None else usual.outcome not in expected

    def _are_as_usual(self, endpoints: tuple[Endpoint, ...], results: Mapping[str, ProbeResult]) -> bool:
        return all(each.is_as_usual(results[each.name], self._usual.get(each.name)) for each in endpoints)

    async def switch_links_on(self) -> None:
        """Let clients through again."""
        for proxy in self._switched_off:
            try:
                await proxy.enable()
            except HarnessError:
                self.proxy_replaced |= (await proxy.heal()).replaced is not None
        self._switched_off = ()

    async def switch_links_off(self) -> None:
        """Have clients refused, as they would be without a proxy in between."""
        if not self._switched_off:
            # Noted first: a call that hangs may have done it all the same.
            self._switched_off = self.proxies
            await asyncio.gather(*(self._switch_off(proxy) for proxy in self.proxies))

    async def _switch_off(self, proxy: LinkProxy) -> None:
        try:
            await proxy.disable()
        except ControlHung:
            await proxy.renew()
            self.proxy_replaced = True
            await proxy.disable()

    async def _renew_stuck(self) -> None:
        """Replace proxies that stay silent although the service answers: cut off while they called it, they wait on."""
        if not self._are_as_usual(self.endpoints, await probe_all(self.endpoints)):
            return
        results = await probe_all(self.link_endpoints)
        for proxy, endpoint in zip(self.proxies, self.link_endpoints, strict=True):
            result = results[endpoint.name]
            is_as_usual = endpoint.is_as_usual(result, self._usual.get(endpoint.name))
            if result.outcome is ProbeOutcome.SILENT and not is_as_usual:
                await proxy.renew()
                self.proxy_replaced = True
