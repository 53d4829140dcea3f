"""A failure is never silent: the run says how it ended, and one notification is sent for one that did not end well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.check import Check
from harness.checks.finding import Case, Finding, Weight
from harness.history.events import RunGivenUp
from harness.history.reads import RunRead

NAME = "not-silent"


def not_silent(case: Case) -> Sequence[Finding]:
    """Hold each run's own word against what it may be, and count the notifications about it.

    A run that the harness gave up on had no chance to say anything: that it did not end is another check's finding. Nor
    had one that was still going on when the drill was broken off.
    """
    speechless = {event.run for _, event in case.history.of(RunGivenUp)} | case.cut_short
    runs = [run for run in case.reads.runs.values() if run.run_id not in speechless]
    return [finding for run in runs for finding in (*_word(case, run), *_notified(case, run))]


def _finding(title: str, expected: str, found: str, weight: Weight = Weight.SAFETY) -> Finding:
    return Finding(check=NAME, weight=weight, title=title, expected=expected, found=found, see="reads.json")


def _outcome(case: Case, run: RunRead) -> str | None:
    return next((row.outcome for row in case.reads.outcomes if row.execution_id == run.run_id), None)


def _word(case: Case, run: RunRead) -> Iterator[Finding]:
    outcome = _outcome(case, run)
    if outcome is None:
        yield _finding(
            "a run says nothing of its outcome",
            f"run {run.run_id} has an outcome in the system's own record",
            f"no row (SQL); the run ended as {run.state}",
        )
        return
    if (outcome == "failed") != (run.state == "failed"):
        yield _finding(
            "a run's word is not true",
            f"run {run.run_id} says how it really ended: {run.state}",
            f"it says {outcome!r} (SQL)",
        )
    if run.run_id == case.drilled_run and outcome not in case.outcomes:
        worse = case.outcomes[0]
        silent = outcome == "success"
        yield _finding(
            "a failure stayed silent" if silent else f"the run ended {outcome}",
            f"run {run.run_id} ends {' or '.join(case.outcomes)}"
            if not silent
            else f"run {run.run_id} reports itself as {worse}",
            f"it reports {outcome!r} (SQL)",
            # Only a system that the fault really hit had something to tell.
            Weight.LIVENESS,
        )


def _notified(case: Case, run: RunRead) -> Iterator[Finding]:
    outcome = _outcome(case, run)
    wanted = 0 if outcome in (None, "success") and run.state != "failed" else 1
    found = sum(run.run_id in message.text for message in case.reads.notifications)
    if found != wanted:
        yield _finding(
            "no notification was sent" if found < wanted else "the same was told several times",
            f"{wanted} notification{'s' * (wanted != 1)} about run {run.run_id} ({outcome})",
            f"{found} at the notification sink",
        )


CHECK = Check(
    name=NAME,
    judge=not_silent,
    holds_when="the run says how it ended, and one notification is sent if it did not end well",
    witness="SQL, the notification sink",
    needs=("outcome", "notifications"),
)
