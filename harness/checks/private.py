"""No secret of the stack stands where others read it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import Leak

NAME = "private"


def private(case: Case) -> Sequence[Finding]:
    """Tell of each place in which a secret was found, before it was taken out of the evidence."""
    if case.drilled is None:
        return []  # the drill ended before there was anything to read, which another check tells
    if case.reads.leaks is None:
        return [
            Finding(
                check=NAME,
                weight=Weight.UNPROVEN,
                title="it could not be judged",
                expected="every log is searched for the stack's secrets",
                found="the drill ended before they were searched",
            )
        ]
    return [
        Finding(
            check=NAME,
            weight=Weight.SAFETY,
            title="a secret stands in a log" if leak.where.startswith("logs/") else "a secret stands in a record",
            expected=f"{leak.secret} stands in no log, message or stored row",
            found=f"it is in {leak.where}{_line(leak)}: all who may read that have it now, so change it",
            see="" if leak.line is None else f"{leak.where}:{leak.line}, where *** stands in its place",
        )
        for leak in case.reads.leaks
    ]


def _line(leak: Leak) -> str:
    return "" if leak.line is None else f", line {leak.line}"


CHECK = Check(
    name=NAME,
    judge=private,
    holds_when="no secret of the stack stands in a log, a message, or what was read",
    witness="every log, the final reads",
    blind_to="a secret in another form (encoded, cut in two), and secrets shorter than eight characters",
)
