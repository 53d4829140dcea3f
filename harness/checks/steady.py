"""The steady state holds before the faults and again after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.finding import Case, Finding, Weight
from harness.history.events import PhaseEnded, RunRole

NAME = "steady"


def steady(case: Case) -> Sequence[Finding]:
    """Failing before the faults, the drill tells nothing; failing after them, the system is broken."""
    return [*_before(case), *_after(case)]


def _before(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(PhaseEnded):
        if event.phase == "steady" and event.failure is not None:
            yield Finding(
                check=NAME,
                weight=Weight.UNSOUND,
                title="the system was not in its steady state before the drill",
                expected="every link answers and a run of the workflow succeeds without any fault",
                found=event.failure,
                see=case.history.lines(entry, entry),
            )


def _after(case: Case) -> Iterator[Finding]:
    words = {row.execution_id: row.outcome for row in case.reads.outcomes}
    recoveries = [run for run in case.reads.runs.values() if run.role is RunRole.RECOVERY]
    for run in recoveries[-1:]:
        if (run.state, words.get(run.run_id)) != ("success", "success"):
            yield Finding(
                check=NAME,
                weight=Weight.LIVENESS,
                title="the system is not back in its steady state",
                expected=f"run {run.run_id}, after everything was healed, succeeds and reports success",
                found=f"Airflow has it as {run.state}, and it reports {words.get(run.run_id)!r}",
                see=f"logs/tasks/{run.run_id}/",
            )
