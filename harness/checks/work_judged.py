"""Something of the system's work was judged: that its services stayed up and its links answered is no work."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight

NAME = "work-judged"


def work_judged(case: Case) -> Sequence[Finding]:
    """Ask whether a promise was about the work; where a run only is a time that passes, its end says nothing."""
    workload = case.adapters.workload
    if case.work_is_judged or workload is None or workload.wait is None:
        return []
    return [
        Finding(
            check=NAME,
            weight=Weight.WATCHED,
            title="nothing of the system's work was checked",
            expected="at least one promise is about what the system's work leaves: rows, orders, requests, log lines",
            found="none is known: the system was only watched for a time; what it did meanwhile was not asked",
            see="name what to ask under x-harness.adapters: probes, artifacts, operations, or a workload that works",
        )
    ]


CHECK = Check(
    name=NAME,
    judge=work_judged,
    holds_when="one of the promises is about what the system's work leaves",
    witness="the stack's file",
    blind_to="how much of the work the named promises cover",
)
