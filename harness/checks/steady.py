"""The steady state holds before the faults and again after them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.check import Check
from harness.checks.finding import Case, Finding, Weight
from harness.history.events import PhaseEnded
from harness.history.roles import RunRole

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
                expected="every link answers and a run succeeds without any fault",
                found=event.failure,
                see=case.history.lines(entry, entry),
            )


def _after(case: Case) -> Iterator[Finding]:
    recoveries = [run for run in case.reads.runs.values() if run.role is RunRole.RECOVERY]
    for run in recoveries[-1:]:
        says_so = case.adapters.outcome is not None
        word = next((row.outcome for row in case.reads.outcomes if row.execution_id == run.run_id), None)
        if run.state != "success" or (says_so and word != "success"):
            yield Finding(
                check=NAME,
                weight=Weight.LIVENESS,
                title="the system is not back in its steady state",
                expected=f"run {run.run_id}, after everything was healed, succeeds" + " and reports success" * says_so,
                found=f"it ended as {run.state}" + f", and it reports {word!r}" * says_so,
                see=f"logs/tasks/{run.run_id}/",
            )


CHECK = Check(
    name=NAME,
    judge=steady,
    holds_when="a run succeeds before the faults and after them",
    witness="Airflow's API, SQL",
)
