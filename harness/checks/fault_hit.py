"""Every fault was really on, and really hit the system. Otherwise the drill tells nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, PlannedFault, Weight
from harness.history.events import FaultHit, FaultNeverCame, FaultObserved, FaultOn, Witness

NAME = "fault-hit"


def fault_hit(case: Case) -> Sequence[Finding]:
    """Ask the observations whether the fault was on, and the other witnesses whether it hit the system."""
    return [finding for fault in case.faults for finding in _judge(case, fault)]


def _judge(case: Case, fault: PlannedFault) -> Iterator[Finding]:
    switched_on = next((entry for entry, event in case.history.of(FaultOn) if event.fault == fault.id), None)
    if switched_on is None:
        cause = next((event.cause for _, event in case.history.of(FaultNeverCame) if event.fault == fault.id), None)
        yield _finding(fault, "it was never switched on", cause or "the drill ended before", "history.jsonl")
        return
    see = case.history.lines(switched_on, None)
    observed = [event for _, event in case.history.of(FaultObserved) if event.fault == fault.id]
    wrong = [event.saw for event in observed if not event.as_expected]
    if not observed or wrong:
        saw = wrong[0] if wrong else "the harness did not observe it"
        yield _finding(
            fault,
            "it was switched on but not in effect",
            f"{saw} while it should have been on ({len(wrong)} of {len(observed)})",
            see,
        )
        return
    met = sum(event.count for event in times_hit(case, fault.id))
    if met == 0 and not _told_by_the_run(case, fault):
        yield _finding(
            fault,
            "it was on, but hit nothing of the system",
            "neither the proxy nor the kernel nor the system's own log tell of anything that it hit",
            see,
            Weight.UNPROVEN,
        )


def _told_by_the_run(case: Case, fault: PlannedFault) -> bool:
    """Whether nothing but this fault explains that the drilled run did not end as well as the steady one did.

    A system that keeps its log silent would be judged the more mildly for it.
    """
    run = case.drilled
    others = any(event.fault != fault.id for _, event in case.history.of(FaultOn))
    if run is None or others or case.steady is None or not case.was_read("outcome"):
        return False
    return run.run_id not in case.cut_short and case.word_of(run) in ("degraded", "failed")


def times_hit(case: Case, fault_id: str) -> list[FaultHit]:
    """What proxy, kernel and system say of how often the fault hit the system itself."""
    events = [event for _, event in case.history.of(FaultHit) if event.fault == fault_id]
    return [event for event in events if event.witness is not Witness.LINK_PROBE]


def _finding(fault: PlannedFault, title: str, found: str, see: str, weight: Weight = Weight.UNSOUND) -> Finding:
    return Finding(
        check=NAME,
        weight=weight,
        title=f"the fault did not hit: {title}",
        expected=f"{fault.target} {fault.about}, and the system meets it",
        found=found,
        see=see,
    )


CHECK = Check(
    name=NAME,
    judge=fault_hit,
    holds_when="each fault was in effect, and hit the system's own traffic or work",
    witness="probes, the proxies' logs, the kernel, the system's logs",
    blind_to="whether each single call was hit",
)
