"""A promise of another team: what is found was asked for by a run, and says by which."""

from __future__ import annotations

from collections.abc import Sequence

from harness import Case, Check, Finding, Weight

NAME = "named-by-run"


def named_by_run(case: Case) -> Sequence[Finding]:
    """Look for operations that bear the name of no run of the drill."""
    own = tuple(case.reads.runs)
    found = set(case.reads.operations or ()) - set(case.reads.operations_before)
    return [
        Finding(
            check=NAME,
            weight=Weight.SAFETY,
            title="an operation belongs to no run",
            expected="every operation begins with the id of its run",
            found=f"{operation!r} does not",
            see="reads.json",
        )
        for operation in sorted(found)
        if not operation.startswith(own)
    ]


CHECK = Check(
    name=NAME,
    judge=named_by_run,
    holds_when="every operation that is found bears the id of its run",
    witness="the system's API",
    needs=("operations",),
)
