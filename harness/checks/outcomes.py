"""The drilled run ends as the scenario says that it may, with or without a notification sink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.events import FaultHit, FaultOn, Witness

NAME = "outcomes"


def outcomes(case: Case) -> Sequence[Finding]:
    """Hold the drilled run's word against what the scenario allows; without a fault, it must succeed."""
    run = case.drilled
    if run is None or run.run_id in case.cut_short or not case.was_read("outcome"):
        return []
    word = case.word_of(run)
    return [] if word is None else [*_judge(case, run.run_id, word)]


def _judge(case: Case, run_id: str, word: str) -> Iterator[Finding]:
    allowed = case.outcomes
    under_fault = any(True for _ in case.history.of(FaultOn))
    if not allowed and word == "failed" and not under_fault:
        allowed = ("success",)
    if not allowed or word in allowed:
        return
    where = "SQL" if case.adapters.outcome else "Airflow" if case.adapters.airflow else "the workload"
    if word == "success":
        # Only what a fault really hit had something to tell; that none did is a finding of its own.
        hit = any(event.witness is not Witness.LINK_PROBE for _, event in case.history.of(FaultHit))
        if hit or not case.faults:
            yield _finding(
                "a failure stayed silent", f"run {run_id} reports itself as {allowed[0]}", f"it reports {word!r}", where
            )
        return
    yield _finding(f"the run ended {word}", f"run {run_id} ends {' or '.join(allowed)}", f"it reports {word!r}", where)


def _finding(title: str, expected: str, found: str, where: str) -> Finding:
    return Finding(
        check=NAME,
        weight=Weight.LIVENESS,
        title=title,
        expected=expected,
        found=f"{found} ({where})",
        see="reads.json: outcomes",
    )


CHECK = Check(
    name=NAME,
    judge=outcomes,
    holds_when="the drilled run ends as the scenario says that it may; without a fault, well",
    witness="SQL, or what runs the work",
    blind_to="why a run ended as it did",
)
