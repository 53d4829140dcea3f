"""Findings, verdicts, and the case that a check judges."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a drill says of the system."""

    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    SKIPPED = "SKIPPED"
    # Everything that was looked at held, and nothing of it was the system's work.
    WATCHED_ONLY = "WATCHED ONLY"

    @property
    def exit_code(self) -> int:
        """0 PASS, 1 FAIL, 3 for all that is neither (2 is wrong usage, which never gets to a verdict)."""
        return {Verdict.PASS: 0, Verdict.FAIL: 1}.get(self, 3)


class Weight(StrEnum):
    """What a finding does to the verdict.

    SAFETY always fails the drill. LIVENESS fails it only if the experiment was sound: a system cannot
    be blamed for not recovering from a fault that was never lifted. UNSOUND says that the experiment was not sound.
    UNPROVEN says that something was not seen that a PASS rests on; it excuses nothing: a system that is silent and does
    not recover is no better than one that tells of its trouble. WATCHED says that nothing of the system's work was
    looked at.
    """

    SAFETY = "safety"
    LIVENESS = "liveness"
    UNSOUND = "unsound"
    UNPROVEN = "unproven"
    WATCHED = "watched"


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
