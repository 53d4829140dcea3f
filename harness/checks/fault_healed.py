"""Every fault that was switched on was lifted, and what it was on was as before."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.events import FaultHealed, FaultOn

NAME = "fault-healed"


def fault_healed(case: Case) -> Sequence[Finding]:
    """Look for the proof after each fault."""
    healed = {event.fault for _, event in case.history.of(FaultHealed)}
    return [
        Finding(
            check=NAME,
            weight=Weight.UNSOUND,
            title="a fault was not healed",
            expected=f"{event.target} answers again after '{event.what}' was lifted",
            found="it was never seen to answer again",
            see=case.history.lines(entry, None),
        )
        for entry, event in case.history.of(FaultOn)
        if event.fault not in healed
    ]


CHECK = Check(
    name=NAME,
    judge=fault_healed,
    holds_when="each fault was lifted, and its target was as before",
    witness="probes, the runtime",
    blind_to="what else than the target was hurt",
)
