"""Every fault of a link: told to the link's Toxiproxy, and seen by probes that go through it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.faults.link.fault import LinkFault
from harness.history.events import ProbeOutcome, Witness
from harness.runtime.effects.effect import Effect, Hit, Observation
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.effects.usual import Usual
from harness.runtime.running import RunningStack
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.toxiproxy.link_proxy import LinkProxy

_PROBE_TIMEOUT_S = 1.0
_LATENCY_ALLOWANCE_S = 2.0


class LinkEffect(Effect[LinkFault]):
    """One fault on one link.

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the link, as a scenario names it.
    """

    def __init__(self, fault: LinkFault, running: RunningStack, target: str) -> None:
        link = running.stack.link(target)
        self._proxy = running.proxy(link)
        self._endpoint = Endpoint.through(running, link)
        self._usual: Usual | None = None
        super().__init__(fault, running, str(link), links=(link,), log_names=(link.client,), proxies=(self._proxy,))

    async def arm(self) -> None:
        """See what a probe comes to without the fault, and how long that takes."""
        self._usual = await self._endpoint.usual()

    async def put_on(self) -> Sequence[Hit]:
        """Tell Toxiproxy."""
        open_connections = len(self._proxy.open_system_connections())
        await apply_fault(self._proxy, self.fault)
        if self.fault.CUTS and open_connections:
            return (Hit(Witness.PROXY, open_connections, "open connections cut"),)
        return ()

    async def observe(self) -> Observation:
        """Send a probe through the link."""
        delay_s = self.fault.at_least_s
        usual_s = self._usual.slowest_s if self._usual is not None else 0.0
        result = await self._endpoint.probe(usual_s + delay_s + _LATENCY_ALLOWANCE_S if delay_s else _PROBE_TIMEOUT_S)
        saw = f"a probe through the link was '{result.outcome}'"
        if self._usual is None:
            return Observation(as_expected=False, saw=f"{saw}, and what it is without the fault was not looked at")
        if delay_s:
            late = self._usual.is_late(result.elapsed_s, delay_s)
            took = f" after {result.elapsed_s:.3f} s; without the fault it took {self._usual.fastest_s:.3f} s"
            return Observation(as_expected=result.outcome in self._expected() and late, saw=f"{saw}{took}")
        if self._usual.outcome in self._expected():
            return Observation(
                as_expected=False,
                saw=f"{saw}, as it is without the fault, so that it proves nothing: name the protocol of "
                f"{self.links[0].server}:{self.links[0].port} in x-harness.link_probes",
            )
        return Observation(as_expected=result.outcome in self._expected(), saw=saw)

    async def hits(self, since_mono_s: float) -> Sequence[Hit]:
        """Count the connections that came while it was on; where none can come, the cut ones have been counted."""
        came = () if self.fault.CUTS else self._proxy.system_connections(since_mono_s)
        return (Hit(Witness.PROXY, len(came), "connections accepted under the fault"),) if came else ()

    async def lift(self) -> None:
        """Take away every toxic, by a new Toxiproxy if it has to be."""
        self.proxy_replaced = (await self._proxy.heal()).replaced is not None

    async def verify_healed(self) -> Observation:
        """A probe should come to what it came to without the fault, and as soon."""
        result = await self._endpoint.probe(_PROBE_TIMEOUT_S)
        usual, delay_s = self._usual, self.fault.at_least_s
        as_soon = not delay_s or usual is None or usual.is_as_soon(result.elapsed_s, delay_s)
        return Observation(
            as_expected=self._endpoint.is_as_usual(result, usual) and as_soon,
            saw=f"a probe through the link was '{result.outcome}' after {result.elapsed_s:.3f} s",
        )

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What takes every fault of the link away."""
        return self._proxy.undo_steps

    def _expected(self) -> frozenset[str]:
        expected = self.fault.PROBE_OUTCOMES
        # An end without an answer is all that a forwarder lets a probe see of a reset.
        if ProbeOutcome.RESET in expected and self._proxy.is_forwarded:
            return expected | {ProbeOutcome.ENDED}
        return expected


async def apply_fault(proxy: LinkProxy, fault: LinkFault) -> None:
    """Tell a link's Toxiproxy what to do."""
    if fault.CUTS:
        await proxy.disable()
    for toxic in fault.toxics():
        await proxy.add_toxic(toxic)
