"""The steady state holds again after the faults."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.roles import RunRole

NAME = "steady"


def steady(case: Case) -> Sequence[Finding]:
    """Ask how the last run after the faults ended."""
    recoveries = [run for run in case.reads.runs.values() if run.role is RunRole.RECOVERY]
    says_so = case.adapters.outcome is not None and case.was_read("outcome")
    return [
        Finding(
            check=NAME,
            weight=Weight.LIVENESS,
            title="the system is not back in its steady state",
            expected=f"run {run.run_id}, after everything was healed, succeeds" + " and reports success" * says_so,
            found=f"it ended as {run.state}" + f", and it reports {case.word_of(run)!r}" * says_so,
            see=f"logs/tasks/{run.run_id}/",
        )
        for run in recoveries[-1:]
        if run.state != "success" or (says_so and case.word_of(run) != "success")
    ]


CHECK = Check(
    name=NAME,
    judge=steady,
    holds_when="a run succeeds after the faults, as one did before them",
    witness="Airflow's API, SQL",
    blind_to="what else than the workload works again",
)
