"""A fault of a service: made true by its effect, with every link to the service in mind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from harness.drill.grip import Bite
from harness.errors import ControlHung, HarnessError
from harness.faults.service.fault import ServiceFault
from harness.faults.service.kill import Kill
from harness.history.events import ProbeOutcome, ServiceSeen, Witness
from harness.runtime.docker.container_api import container_of
from harness.runtime.docker.limits import as_before
from harness.runtime.effects.registry import effect_of
from harness.runtime.effects.target import Target, knock_at
from harness.runtime.running import RunningStack
from harness.runtime.service import ServiceState
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.link import Link


class ServiceGrip:
    """One fault on one service.

    Args:
        fault_id: its name in the history.
        fault: what goes wrong.
        service: on which service.
        running: the stack.
    """

    def __init__(self, fault_id: str, fault: ServiceFault, service: str, running: RunningStack) -> None:
        self.target = service
        self.links: tuple[Link, ...] = tuple(
            link for link in running.stack.links if service in (link.server, link.client)
        )
        self.log_names: tuple[str, ...] = tuple(dict.fromkeys([service, *(link.client for link in self.links)]))
        self.proxy_replaced = False
        self._fault_id = fault_id
        self._fault = fault
        self._running = running
        self._target = Target.of(running, service)
        self._effect = effect_of(fault, self._target)
        self._switched_off: tuple[LinkProxy, ...] = ()

    @property
    def proxies(self) -> tuple[LinkProxy, ...]:
        """Those of the links to it."""
        return self._target.proxies

    async def arm(self) -> None:
        """Let the effect get ready; what outlives the session is to be as before even if the harness dies."""
        await self._effect.arm()
        if self._running.undo_log is not None:
            links = [each for link in self.links for each in self._running.link_undone(link)]
            requests = [*self._effect.undone(), *await as_before(container_of(self._target.service)), *links]
            self._running.undo_log.note(self._fault_id, requests)

    async def switch_on(self) -> Sequence[Bite]:
        """Make it true; a service that is down takes its links with it."""
        open_connections = sum(len(self._running.proxy(link).open_system_connections()) for link in self.links)
        if isinstance(self._fault, Kill):
            # At once: in a container's network, a Toxiproxy that calls a dead server waits, and obeys nobody meanwhile.
            done = await asyncio.gather(self._switch_links_off(), self._effect.switch_on(), return_exceptions=True)
            if failures := [each for each in done if isinstance(each, BaseException)]:
                raise failures[0]
        else:
            await self._effect.switch_on()
        if not self._fault.ENDS:
            return []
        await self._switch_links_off()
        return [Bite(Witness.PROXY, open_connections, "open connections ended")] if open_connections else []

    async def look(self) -> ServiceSeen:
        """Let the effect look; a service that it made end takes its links with it too."""
        look = await self._effect.look()
        if await self._target.service.state() is ServiceState.ENDED:
            await self._switch_links_off()
        return ServiceSeen(service=self.target, saw=look.saw, fault=self._fault_id, as_expected=look.as_expected)

    async def bites(self, since_mono_s: float) -> Sequence[Bite]:
        """What the kernel has counted, and which connections came that cannot but have met it."""
        bites = []
        if (met := await self._effect.met()) is not None:
            bites.append(Bite(Witness.KERNEL, met.count, met.what))
        came = sum(len(proxy.system_connections(since_mono_s)) for proxy in self.proxies)
        if self._fault.EVERY_CALL_MEETS_IT and came:
            bites.append(Bite(Witness.PROXY, came, "connections accepted under the fault"))
        return bites

    async def lift(self) -> None:
        """Take it away, and switch the links on again once the service is back."""
        try:
            await self._effect.lift()
        finally:
            for proxy in self._switched_off:
                try:
                    await proxy.enable()
                except HarnessError:
                    self.proxy_replaced |= (await proxy.heal()).replaced is not None
            self._switched_off = ()

    async def why_not_healed(self) -> str | None:
        """The service should be as before, on every way to it."""
        look = await self._effect.look_healed()
        if look.as_expected:
            return None
        await self._renew_stuck()
        return look.saw

    async def disarm(self) -> None:
        """Remove what the effect made; what cannot be removed goes with the session."""
        with suppress(HarnessError):
            await self._effect.disarm()
        if self._running.undo_log is not None:
            self._running.undo_log.forget(self._fault_id)

    async def _switch_links_off(self) -> None:
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
        if any(seen.outcome is not ProbeOutcome.ANSWERED for seen in (await knock_at(self._target.doors)).values()):
            return
        seen = await knock_at(self._target.links)
        for proxy, each in zip(self.proxies, seen.values(), strict=True):
            if each.outcome is ProbeOutcome.SILENT:
                await proxy.renew()
                self.proxy_replaced = True
