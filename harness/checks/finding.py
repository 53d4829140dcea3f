"""Findings, verdicts, and the case that a check judges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.history.history import History
from harness.history.reads import FinalReads
from harness.stack.adapters import Adapters

RUN_ENDED = frozenset({"success", "failed"})
"""The states of a run that is over, in Airflow's words."""


class Verdict(StrEnum):
    """What a drill says of the system."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIPPED = "SKIPPED"

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 INCONCLUSIVE or nothing drilled (2 is wrong usage, which never gets to a verdict)."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.SKIPPED: 3}[self]


class Weight(StrEnum):
    """What a finding does to the verdict.

    SAFETY always fails the drill. LIVENESS fails it only if the experiment was sound: a system cannot
    be blamed for not recovering from a fault that was never lifted. UNSOUND says that the experiment was not sound.
    """

    SAFETY = "safety"
    LIVENESS = "liveness"
    UNSOUND = "unsound"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as promised.

    Args:
        check: the check that found it.
        weight: what it does to the verdict.
        title: the loss, in a few words.
        expected: what should have been.
        found: what was, and how we know.
        see: where to look.
    """

    check: str
    weight: Weight
    title: str
    expected: str
    found: str
    see: str = ""

    def __str__(self) -> str:
        """Plain text: the loss first, then how we know, then where to look."""
        lines = [f"{self.check}: {self.title}", f"  expected  {self.expected}", f"  found     {self.found}"]
        return "\n".join([*lines, *([f"  see       {self.see}"] if self.see else [])])


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault that the scenario planned.

    Args:
        id: its name in the history.
        target: the link or the service it was for.
        about: what it is, in a word or two.
    """

    id: str
    target: str
    about: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a check may look at.

    Args:
        drilled_run: the id of the run under fault.
        outcomes: how that run may end, by the system's own word.
        adapters: what of the stack can be asked, and how it is read.
        reads: the final reads; None when the drill did not get as far.
    """

    drilled_run: str
    faults: tuple[PlannedFault, ...]
    outcomes: tuple[str, ...]
    run_limit_s: float
    recovery_limit_s: float
    adapters: Adapters
    history: History
    reads: FinalReads

    @property
    def cut_short(self) -> frozenset[str]:
        """The runs that were going on at the final reads, since the drill was broken off.

        What such a run was just about to say or to record is no fault of it; what it did twice is.
        """
        return frozenset(run.run_id for run in self.reads.runs.values() if run.state not in RUN_ENDED)
