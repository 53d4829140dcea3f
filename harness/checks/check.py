"""A check: a pure function from the history and final reads of a drill to findings, and how people speak of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.checks.case import Case
from harness.checks.finding import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """One promise that a scenario may name, or one proof that always applies.

    Args:
        name: what scenarios and findings call it.
        judge: gives the findings of a case; none when the promise holds. It neither changes the case nor reads anything
            else.
        holds_when: what is promised, for people; begins in lower case.
        witness: what the check reads, for people.
        needs: the adapters of the stack's file without which it cannot be judged; they are its witnesses, too: where
            one could not be read, the promise is not judged.
        of_work: whether it reads what the system's work has left. A drill in which no such promise was judged, on a
            stack whose work is not started by the harness, has only watched.
        blind_to: what it does not see, for people; begins in lower case.
    """

    name: str
    judge: Callable[[Case], Sequence[Finding]]
    holds_when: str
    witness: str
    needs: tuple[str, ...] = ()
    of_work: bool = False
    blind_to: str = ""
