"""What a check found, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is, from good to bad."""

    PASS = "pass"  # noqa: S105 - a word of a report
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        verdict: how bad it is.
        detail: what was found, in a line or a few.
        fix: what to do about it; empty when nothing is to be done.
    """

    verdict: Verdict
    detail: str
    fix: str = ""


class NotExamined(Exception):
    """A check could not be made, for a reason that another line of the report tells.

    Args:
        fix: which line that is.
    """

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.fix = fix


def passed(detail: str) -> Finding:
    """Everything is as it should be."""
    return Finding(Verdict.PASS, detail)


def warned(detail: str, fix: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(Verdict.WARN, detail, fix)


def failed(detail: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAIL, detail, fix)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some verdicts; PASS of none."""
    order = list(Verdict)
    return max(verdicts, key=order.index, default=Verdict.PASS)
