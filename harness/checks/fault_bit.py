"""Every fault was really on, and the system really met it. Otherwise the drill tells nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.finding import Case, Finding, PlannedFault, Weight
from harness.history.events import CanarySaw, FaultMet, FaultNeverCame, FaultOn, Witness

NAME = "fault-bit"


def fault_bit(case: Case) -> Sequence[Finding]:
    """Ask the canary whether the fault was on, and proxy and system whether the system met it."""
    return [finding for fault in case.faults for finding in _judge(case, fault)]


def _judge(case: Case, fault: PlannedFault) -> Iterator[Finding]:
    switched_on = next((entry for entry, event in case.history.of(FaultOn) if event.fault == fault.id), None)
    if switched_on is None:
        cause = next((event.cause for _, event in case.history.of(FaultNeverCame) if event.fault == fault.id), None)
        yield _finding(fault, "it was never switched on", cause or "the drill ended before", "history.jsonl")
        return
    see = case.history.lines(switched_on, None)
    canaries = [event for _, event in case.history.of(CanarySaw) if event.fault == fault.id]
    wrong = [event for event in canaries if not event.as_expected]
    if not canaries or wrong:
        saw = f"a canary through the link saw '{wrong[0].sight}'" if wrong else "no canary went through the link"
        yield _finding(
            fault,
            "it was switched on but not in effect",
            f"{saw} while it should have been on ({len(wrong)} of {len(canaries)})",
            see,
        )
        return
    met = sum(event.count for event in times_met(case, fault.id))
    if met == 0:
        yield _finding(
            fault,
            "it was on, but the system never met it",
            "neither the proxy's counters nor the system's own log show a call that met it",
            see,
        )


def times_met(case: Case, fault_id: str) -> list[FaultMet]:
    """What the proxy and the system say of how often the system's own traffic met the fault."""
    events = [event for _, event in case.history.of(FaultMet) if event.fault == fault_id]
    return [event for event in events if event.witness is not Witness.CANARY]


def _finding(fault: PlannedFault, title: str, found: str, see: str) -> Finding:
    return Finding(
        check=NAME,
        weight=Weight.UNSOUND,
        title=f"the fault did not bite: {title}",
        expected=f"{fault.link} {fault.about}, and the system meets it",
        found=found,
        see=see,
    )
