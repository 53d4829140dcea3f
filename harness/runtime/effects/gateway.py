"""Every fault of the gateway: ordered of the stub, counted by it, and gone when a client of our own is answered."""

from __future__ import annotations

import time
from collections.abc import Sequence

from pydantic import JsonValue

from harness.clients.gateway import GatewayControl, StubFault
from harness.clients.http import Unexpected
from harness.clients.tws import ask_time
from harness.faults.gateway.fault import GatewayFault
from harness.history.events import Witness
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.effects.effect import CannotBeDone, Effect, Hit, Observation
from harness.runtime.effects.endpoint import Endpoint, probe_all, told
from harness.runtime.running import RunningStack
from harness.runtime.session.undo_log import UndoStep

_ANSWERS_WITHIN_S = 2.0
_NOT_FOUND = 404


class GatewayEffect(Effect[GatewayFault]):
    """One fault of the stub that stands in for the broker's gateway.

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the stub's service.
    """

    def __init__(self, fault: GatewayFault, running: RunningStack, target: str) -> None:
        links = running.stack.links_to(target)
        super().__init__(
            fault,
            running,
            target,
            links=links,
            log_names=tuple(dict.fromkeys([target, *(link.client for link in links)])),
            proxies=tuple(running.proxy(link) for link in links),
        )
        self._link_endpoints = tuple(Endpoint.through(running, link) for link in links)
        self._control: GatewayControl | None = None
        self._number: int | None = None
        self._ordered_mono_s = 0.0
        self._open_then = 0

    async def arm(self) -> None:
        """Find the stub's control port.

        Raises:
            CannotBeDone: the stack does not say that its gateway stub is this service.
            UnsafeTarget: the gateway serves a live account.
        """
        adapter = self.running.stack.adapters.gateway
        if adapter is None or adapter.service != self.target:
            raise CannotBeDone(f"{self.target} is no gateway stub: name its control port in x-harness.adapters.gateway")
        self._control = GatewayControl(self.running.rewrite_addresses(adapter.control))
        await self._control.refuse_live_account()

    async def arm_at(self, request: str, nth: int) -> None:
        """Have the stub switch the fault on before it answers the n-th request of a kind from now on.

        Args:
            request: the request's name.
            nth: which one.
        """
        await self._order({"request": request, "nth": nth})

    async def has_come(self) -> bool:
        """Whether a fault that waited for a request is on."""
        return (await self._state()).was_switched_on

    async def put_on(self) -> Sequence[Hit]:
        """Order it of the stub, unless that waits for a request of its own."""
        if self._number is None:
            await self._order(None)
        return ()

    async def observe(self) -> Observation:
        """Ask the stub."""
        if self._number is None:
            return Observation(as_expected=False, saw="the gateway stub was not asked for it")
        found = await self._state()
        saw = f"the gateway stub says that its fault {self.fault.gateway} is {found.state}, with {found.hits} hits"
        return Observation(as_expected=found.is_on, saw=saw)

    async def hits(self, since_mono_s: float) -> Sequence[Hit]:
        """Take the stub's count, as far as the system had a connection to the stub that could be hit."""
        del since_mono_s  # one that waited for a request was on before the harness learned of it
        if self._number is None:
            return ()
        hits = (await self._state()).hits
        came = sum(len(proxy.system_connections(self._ordered_mono_s)) for proxy in self.proxies)
        if not hits or not self._open_then + came:
            return ()
        detail = f"by the gateway stub's count, on connections of the system's ({self._open_then} open, {came} new)"
        return (Hit(Witness.GATEWAY, hits, detail),)

    async def lift(self) -> None:
        """Have the stub lift it; a stub that was reset or started anew has forgotten it."""
        if self._control is not None and self._number is not None:
            await self._control.lift_fault(self._number)

    async def verify_healed(self) -> Observation:
        """The stub should say that it is lifted, answer a client of our own, and be reached on every way."""
        if self._number is not None and not (found := await self._state()).is_over:
            return Observation(
                as_expected=False, saw=f"the gateway stub says that {self.fault.gateway} is {found.state}"
            )
        for port in sorted({link.port for link in self.links}):
            if why := await ask_time(self.running.address(self.target, port), _ANSWERS_WITHIN_S):
                return Observation(as_expected=False, saw=why)
        results = await probe_all(self._link_endpoints)
        well = all(each.is_as_usual(results[each.name]) for each in self._link_endpoints)
        return Observation(as_expected=well, saw=told(results, "a client that asked for the time was told it"))

    async def undo_steps(self) -> Sequence[UndoStep]:
        """Start a stub anew that outlives the session: it comes back with its orders, and without faults."""
        service = self.running.service(self.target)
        if self.running.undo_log is None or not isinstance(service, ServiceContainer):
            return ()
        return (UndoStep(f"/containers/{service.container().id}/restart?t=0"),)

    async def disarm(self) -> None:
        """Take back what was ordered and never came, and close the connection to the stub."""
        if self._control is not None:
            control, self._control = self._control, None
            try:
                if self._number is not None:
                    await control.lift_fault(self._number)
            finally:
                await control.close()

    async def _order(self, on: dict[str, JsonValue] | None) -> None:
        self._ordered_mono_s = time.monotonic()
        self._open_then = sum(len(proxy.open_system_connections()) for proxy in self.proxies)
        try:
            self._number = await self._opened().order_fault(
                self.fault.gateway, self.fault.parameters, on=on, times=self.fault.times
            )
        except Unexpected as cause:
            raise CannotBeDone(
                f"the gateway stub of {self.target} does not take the fault {self.fault.gateway}: is it another "
                f"version than this harness? {cause.evidence[:200] or cause}",
            ) from cause

    async def _state(self) -> StubFault:
        assert self._number is not None
        try:
            return await self._opened().fault(self._number)
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return StubFault(id=self._number, state="forgotten", hits=0)
            raise

    def _opened(self) -> GatewayControl:
        if self._control is None:
            raise CannotBeDone(f"the gateway stub of {self.target} was not looked for: arm the fault first")
        return self._control
