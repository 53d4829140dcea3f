"""Making the checks: all at once, each under its deadline, and none able to spoil the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from trading.deadline import UNWIND_S, DeadlineExceeded, within
from trading.doctor.finding import Finding, NotExamined, Verdict
from trading.doctor.surroundings import Surroundings
from trading.workflow.causes import words_of
from trading.workflow.events import redacted

_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: of its line in the report.
        examine: finds out.
        late_fix: what to do when it has no answer in time.
        on_workers: whether it is also made where the tasks run.
        deadline_s: seconds when it needs more than the others.
        unwind_s: seconds in which it takes back what it began, when it has had no answer in time.
    """

    name: str
    examine: Callable[[Surroundings], Awaitable[Finding]]
    late_fix: str
    on_workers: bool = False
    deadline_s: float = 0.0
    unwind_s: float = UNWIND_S


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report.

    Args:
        check: the check's name.
        finding: what it found, without secrets.
        elapsed_s: how long it took.
    """

    check: str
    finding: Finding
    elapsed_s: float


async def examine(checks: Sequence[Check], at: Surroundings) -> list[Line]:
    """Make all checks at once; the lines are in the order of the checks."""
    return list(await asyncio.gather(*(_line(check, at) for check in checks)))


async def _line(check: Check, at: Surroundings) -> Line:
    started_s = time.monotonic()
    finding = await _finding(check, at)
    shown = Finding(finding.verdict, _without_secrets(finding.detail, at), _without_secrets(finding.fix, at))
    return Line(check.name, shown, round(time.monotonic() - started_s, 3))


async def _finding(check: Check, at: Surroundings) -> Finding:
    async def work() -> Finding:
        return await check.examine(at)

    deadline_s = max(at.deadline_s, check.deadline_s)
    try:
        return await within(deadline_s, work(), what="the check", unwind_s=check.unwind_s)
    except DeadlineExceeded:
        return Finding(Verdict.FAIL, f"no answer within {deadline_s:g} s", check.late_fix)
    except NotExamined as reason:
        return Finding(Verdict.WARN, f"not examined: {reason}", reason.fix)
    except Exception as error:  # noqa: BLE001 - any error that ends a check is what it found
        return Finding(Verdict.FAIL, f"{type(error).__name__}: {words_of(error)}", check.late_fix)


def _without_secrets(text: str, at: Surroundings) -> str:
    for secret in at.secrets():
        # A shorter one would take letters out of ordinary words, and protects nothing.
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return redacted(text)
