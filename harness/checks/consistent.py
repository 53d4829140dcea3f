"""Rows that belong together agree: nothing is half written."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight

NAME = "consistent"


def consistent(case: Case) -> Sequence[Finding]:
    """Tell of each rule of the stack's file that some rows break; each of its queries finds those."""
    return [
        Finding(
            check=NAME,
            weight=Weight.SAFETY,
            title=f"rows disagree: {name}",
            expected=f"no row breaks the rule '{name}' of the stack's file",
            found=f"{read.count} row{'s' * (read.count != 1)} (SQL), the first: {read.sample}",
            see="reads.json: contradictions",
        )
        for name, read in case.reads.contradictions.items()
        if read.count
    ]


CHECK = Check(
    name=NAME,
    judge=consistent,
    holds_when="the rows of a run agree, by the rules of the stack's file",
    witness="SQL",
    needs=("consistent",),
    of_work=True,
    blind_to="what no rule of the stack's file is about",
)
