"""Rows that belong together agree: nothing is half written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import Contradiction

NAME = "consistent"


def consistent(case: Case) -> Sequence[Finding]:
    """Tell of each rule of the stack's file that some rows break; each of its queries finds those.

    What a run that the harness ended had written until then, it had no chance to make whole.
    """
    return [finding for name, rows in case.reads.contradictions.items() for finding in _broken(case, name, rows)]


def _broken(case: Case, name: str, rows: Sequence[Contradiction]) -> Iterator[Finding]:
    blamed = [row for row in rows if row.execution_id not in case.cut_short]
    if blamed:
        yield Finding(
            check=NAME,
            weight=Weight.SAFETY,
            title=f"rows disagree: {name}",
            expected=f"no row breaks the rule '{name}' of the stack's file",
            found=f"{len(blamed)} row{'s' * (len(blamed) != 1)} (SQL), the first: {blamed[0].row}",
            see="reads.json: contradictions",
        )


CHECK = Check(
    name=NAME,
    judge=consistent,
    holds_when="the rows of a run agree, by the rules of the stack's file",
    witness="SQL",
    needs=("consistent",),
    of_work=True,
    blind_to="what no rule of the stack's file is about",
)
