"""A fault of a link: told to the link's Toxiproxy, and seen by link_probes that go through it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.drill.grip import Bite
from harness.faults.link.fault import LinkFault
from harness.history.events import LinkProbed, ProbeOutcome, Witness
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_probe import GREETINGS, ProbeResult
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.link import Link

_PROBE_TIMEOUT_S = 1.0
_LATENCY_ALLOWANCE_S = 2.0


class LinkGrip:
    """One fault on one link.

    Args:
        fault_id: its name in the history.
        fault: what goes wrong.
        link: on which link.
        running: the stack.
    """

    def __init__(self, fault_id: str, fault: LinkFault, link: Link, running: RunningStack) -> None:
        self.target = str(link)
        self.links: tuple[Link, ...] = (link,)
        self.log_names: tuple[str, ...] = (link.client,)
        self.proxy_replaced = False
        self._fault_id = fault_id
        self._fault = fault
        self._link = link
        self._running = running

    @property
    def proxies(self) -> tuple[LinkProxy, ...]:
        """The link's own."""
        return (self._proxy,)

    async def arm(self) -> None:
        """A Toxiproxy is always ready; what outlives the session is to be healed even if the harness dies."""
        if self._running.undo_log is not None:
            self._running.undo_log.note(self._fault_id, self._running.link_undone(self._link))

    async def switch_on(self) -> Sequence[Bite]:
        """Tell Toxiproxy."""
        open_connections = len(self._proxy.open_system_connections())
        await apply_fault(self._proxy, self._fault)
        if self._fault.CUTS and open_connections:
            return [Bite(Witness.PROXY, open_connections, "open connections cut")]
        return []

    async def look(self) -> LinkProbed:
        """Send a probe through the link."""
        at_least_s = self._fault.at_least_s
        seen = await self._send(at_least_s + _LATENCY_ALLOWANCE_S if at_least_s else _PROBE_TIMEOUT_S)
        expected = seen.outcome in self._seen_as() and seen.elapsed_s >= at_least_s
        return LinkProbed(
            link=self.target, outcome=seen.outcome, elapsed_s=seen.elapsed_s, fault=self._fault_id, as_expected=expected
        )

    async def bites(self, since_mono_s: float) -> Sequence[Bite]:
        """Count the connections that came while it was on; where none can come, the cut ones have been counted."""
        met = [] if self._fault.CUTS else self._proxy.system_connections(since_mono_s)
        return [Bite(Witness.PROXY, len(met), "connections accepted under the fault")] if met else []

    async def lift(self) -> None:
        """Take away every toxic, by a new Toxiproxy if it has to be."""
        healed = await self._proxy.heal()
        self.proxy_replaced = healed.replaced is not None

    async def why_not_healed(self) -> str | None:
        """A link probe should be answered."""
        seen = await self._send(_PROBE_TIMEOUT_S)
        return None if seen.outcome is ProbeOutcome.ANSWERED else f"a link probe through it saw '{seen.outcome}'"

    async def disarm(self) -> None:
        """Nothing was made, and it is healed."""
        if self._running.undo_log is not None:
            self._running.undo_log.forget(self._fault_id)

    def _seen_as(self) -> frozenset[ProbeOutcome]:
        may_be_seen = self._fault.PROBE_SEES
        # An end without an answer is all that a forwarder lets a link probe see of a reset.
        return (
            may_be_seen | {ProbeOutcome.ENDED}
            if ProbeOutcome.RESET in may_be_seen and self._proxy.is_forwarded
            else may_be_seen
        )

    @property
    def _proxy(self) -> LinkProxy:
        return self._running.proxy(self._link)

    async def _send(self, timeout_s: float) -> ProbeResult:
        protocol = self._running.stack.link_probes.get((self._link.server, self._link.port), "tcp")
        return await self._proxy.probe(GREETINGS[protocol], timeout_s)


async def apply_fault(proxy: LinkProxy, fault: LinkFault) -> None:
    """Switch a fault on."""
    if fault.CUTS:
        await proxy.disable()
    for toxic in fault.toxics():
        await proxy.add_toxic(toxic)
