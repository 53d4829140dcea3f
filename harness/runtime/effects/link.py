"""Every fault of a link: told to the link's Toxiproxy, and seen by probes that go through it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.faults.link.fault import LinkFault
from harness.history.events import ProbeOutcome, Witness
from harness.runtime.effects.effect import Effect, Hit, Observation
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.running import RunningStack
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.toxiproxy.link_proxy import LinkProxy

_PROBE_TIMEOUT_S = 1.0
_LATENCY_ALLOWANCE_S = 2.0
_BASELINE_PROBES = 3
# An answer that takes no longer than so many times the usual is not late, however small the fault's delay.
_USUAL_AT_MOST = 2.0


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
        self._usual_s = 0.0
        super().__init__(fault, running, str(link), links=(link,), log_names=(link.client,), proxies=(self._proxy,))

    async def arm(self) -> None:
        """See how long an answer takes without the fault."""
        if self.fault.at_least_s:
            self._usual_s = min([(await self._endpoint.probe()).elapsed_s for _ in range(_BASELINE_PROBES)])

    async def put_on(self) -> Sequence[Hit]:
        """Tell Toxiproxy."""
        open_connections = len(self._proxy.open_system_connections())
        await apply_fault(self._proxy, self.fault)
        if self.fault.CUTS and open_connections:
            return (Hit(Witness.PROXY, open_connections, "open connections cut"),)
        return ()

    async def observe(self) -> Observation:
        """Send a probe through the link."""
        at_least_s = self.fault.at_least_s
        result = await self._endpoint.probe(at_least_s + _LATENCY_ALLOWANCE_S if at_least_s else _PROBE_TIMEOUT_S)
        took = f" after {result.elapsed_s:.3f} s" if at_least_s else ""
        return Observation(
            as_expected=result.outcome in self._expected() and result.elapsed_s >= at_least_s,
            saw=f"a probe through the link was '{result.outcome}'{took}",
        )

    async def hits(self, since_mono_s: float) -> Sequence[Hit]:
        """Count the connections that came while it was on; where none can come, the cut ones have been counted."""
        came = () if self.fault.CUTS else self._proxy.system_connections(since_mono_s)
        return (Hit(Witness.PROXY, len(came), "connections accepted under the fault"),) if came else ()

    async def lift(self) -> None:
        """Take away every toxic, by a new Toxiproxy if it has to be."""
        self.proxy_replaced = (await self._proxy.heal()).replaced is not None

    async def verify_healed(self) -> Observation:
        """A probe should be answered, and as soon as without the fault."""
        result = await self._endpoint.probe(_PROBE_TIMEOUT_S)
        late_from_s = max(self.fault.at_least_s, _USUAL_AT_MOST * self._usual_s) if self.fault.at_least_s else math.inf
        return Observation(
            as_expected=result.outcome is ProbeOutcome.ANSWERED and result.elapsed_s < late_from_s,
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
