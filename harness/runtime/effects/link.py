"""Every fault of a link: told to the link's Toxiproxy, and seen by probes that go through it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.faults.link.answers import AnswerFault
from harness.faults.link.fault import HitWhen, LinkFault
from harness.history.events import ProbeOutcome, Witness
from harness.runtime.effects.effect import CannotBeDone, Effect, Hit, Observation
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.effects.link_hits import (
    TOLD_WITHIN_S,
    AnswersHit,
    AttemptsHit,
    accepted_hits,
    unanswered_hits,
    used_hits,
)
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
        self._answers_hit = AnswersHit(self._proxy)
        self._attempts = AttemptsHit()
        super().__init__(fault, running, str(link), links=(link,), log_names=(link.client,), proxies=(self._proxy,))

    async def arm(self) -> None:
        """See what a probe comes to without the fault, and how long that takes.

        Raises:
            CannotBeDone: the fault acts within a connection, and the link's Toxiproxy is none that can.
        """
        self._usual = await self._endpoint.usual()
        if self.fault.CUTS:
            self._attempts.watch(self.links, self.proxies)
        if self._spares_greeting and not self._proxy.has_witness:
            raise CannotBeDone(
                f"{self.fault.name()} on {self.target} acts after a connection's beginning, and its Toxiproxy cannot: "
                "let the harness build its own, or write 'after: connect'"
            )

    async def put_on(self) -> Sequence[Hit]:
        """Tell Toxiproxy."""
        open_connections = len(self._proxy.open_system_connections())
        self._answers_hit = AnswersHit(self._proxy)
        await apply_fault(self._proxy, self.fault, self._endpoint.protocol)
        if self.fault.CUTS and open_connections:
            return (Hit(Witness.PROXY, open_connections, "of the open connections cut"),)
        return ()

    async def observe(self) -> Observation:
        """Send a probe through the link, and ask its Toxiproxy where a probe goes through unharmed."""
        delay_s = 0.0 if self._spares_greeting else self.fault.at_least_s
        usual_s = self._usual.slowest_s if self._usual is not None else 0.0
        result = await self._endpoint.probe(usual_s + delay_s + _LATENCY_ALLOWANCE_S if delay_s else _PROBE_TIMEOUT_S)
        saw = f"a probe through the link was '{result.outcome}'"
        if self._usual is None:
            return Observation(as_expected=False, saw=f"{saw}, and what it is without the fault was not looked at")
        if self._spares_greeting:
            acts = await self._proxy.acts()
            told = "acts on what comes later in a connection" if acts else "does nothing"
            well = acts and self._endpoint.is_as_usual(result, self._usual)
            return Observation(as_expected=well, saw=f"{saw}, and the link's Toxiproxy {told}")
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
        """Count what of the system's own it has hit by now; what it did to answers is known when it is lifted."""
        await asyncio.sleep(TOLD_WITHIN_S)
        match self.fault.HIT_WHEN:
            case HitWhen.UNANSWERED:
                return unanswered_hits(self.proxies, since_mono_s)
            case HitWhen.USED:
                return used_hits(self.proxies, since_mono_s)
            case HitWhen.ANSWER_LATE | HitWhen.ANSWER_LOST if not self._proxy.has_witness:
                return accepted_hits(self.proxies, since_mono_s)
            case _:
                # Where no connection can come, the cut ones have been counted.
                return self._attempts.count(since_mono_s)

    async def hits_when_lifted(self) -> Sequence[Hit]:
        """Count the answers that it has held up or cut off."""
        await asyncio.sleep(TOLD_WITHIN_S)
        match self.fault.HIT_WHEN:
            case HitWhen.ANSWER_LATE:
                return self._answers_hit.late()
            case HitWhen.ANSWER_LOST:
                return self._answers_hit.lost()
            case _:
                return ()

    async def lift(self) -> None:
        """Take away every toxic, by a new Toxiproxy if it has to be."""
        self.proxy_replaced = (await self._proxy.heal()).replaced is not None

    async def verify_healed(self) -> Observation:
        """A probe should come to what it came to without the fault, and as soon; and nothing should act on the link."""
        result = await self._endpoint.probe(_PROBE_TIMEOUT_S)
        usual, delay_s = self._usual, self.fault.at_least_s
        as_soon = not delay_s or usual is None or usual.is_as_soon(result.elapsed_s, delay_s)
        saw = f"a probe through the link was '{result.outcome}' after {result.elapsed_s:.3f} s"
        if self._spares_greeting and await self._proxy.acts():
            return Observation(as_expected=False, saw=f"{saw}, and the link's Toxiproxy still acts on it")
        return Observation(as_expected=self._endpoint.is_as_usual(result, usual) and as_soon, saw=saw)

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What takes every fault of the link away."""
        return self._proxy.undo_steps

    async def disarm(self) -> None:
        """Watch no more who tries to connect."""
        self._attempts.close()

    @property
    def _spares_greeting(self) -> bool:
        return isinstance(self.fault, AnswerFault) and self.fault.spares_greeting(self._endpoint.protocol)

    def _expected(self) -> frozenset[str]:
        expected = self.fault.PROBE_OUTCOMES
        # An end without an answer is all that a forwarder lets a probe see of a reset.
        if ProbeOutcome.RESET in expected and self._proxy.is_forwarded:
            return expected | {ProbeOutcome.ENDED}
        return expected


async def apply_fault(proxy: LinkProxy, fault: LinkFault, protocol: str = "") -> None:
    """Tell a link's Toxiproxy what to do.

    Args:
        proxy: the link's.
        fault: what goes wrong on it.
        protocol: what is spoken over the link, as far as that is known.

    Raises:
        HarnessError: it would not.
    """
    if fault.CUTS:
        await proxy.disable()
    if isinstance(fault, AnswerFault) and proxy.has_witness:
        await proxy.add_toxic(fault.told_witness(protocol))
        return
    for toxic in fault.toxics():
        await proxy.add_toxic(toxic)
