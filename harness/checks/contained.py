"""A fault takes down nothing but its target."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.ends import Cause, ends_of_services
from harness.checks.finding import Finding, Weight

NAME = "contained"


def contained(case: Case) -> Sequence[Finding]:
    """Find services that ended while a fault was on another, or after it, and did not come back by themselves."""
    return [
        Finding(
            check=NAME,
            weight=Weight.LIVENESS,
            title="a fault took a service down that is not its target",
            expected=f"{end.service} stays up, or is up again by its own restart policy, while another part fails",
            found=end.told,
            see=f"{case.history.lines(end.entry, end.entry)} · logs/{end.service}.log",
        )
        for end in ends_of_services(case)
        if end.cause is Cause.ANOTHERS_FAULT and not end.came_back
    ]


CHECK = Check(
    name=NAME,
    judge=contained,
    holds_when="no service ends for good because of a fault on another",
    witness="the runtime",
    blind_to="a service that is up and does nothing",
)
