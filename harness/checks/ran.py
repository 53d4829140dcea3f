"""There was something to judge: the steady run ended well and did work, and the drilled run exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.events import Fate, OperationEnded, PhaseEnded, RunChanged
from harness.history.roles import RunRole

NAME = "ran"


def ran(case: Case) -> Sequence[Finding]:
    """Look for the steady run, for what it did, and for the drilled run."""
    return [*_not_steady(case)] or [*_no_steady_run(case), *_no_work(case), *_not_drilled(case)]


def _not_steady(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(PhaseEnded):
        if event.phase in ("reset", "steady") and event.failure is not None:
            yield Finding(
                check=NAME,
                weight=Weight.UNSOUND,
                title="the system was not in its steady state before the drill",
                expected="every link answers and a run succeeds without any fault",
                found=event.failure,
                see=case.history.lines(entry, entry),
            )


def _no_steady_run(case: Case) -> Iterator[Finding]:
    if case.was_read("airflow", "outcome") and case.steady is None:
        yield _unproven(
            "no steady run is there to hold the drilled one against",
            "a run without faults that ended well, among those that were read",
            "there is none",
        )


def _no_work(case: Case) -> Iterator[Finding]:
    """A steady run of which nothing says that it did anything proves nothing by its success."""
    steady = case.steady
    if steady is None:
        return
    ended = [event for _, event in case.history.of(OperationEnded) if event.run == steady.run_id]
    if ended and not any(event.fate is Fate.ACKNOWLEDGED for event in ended):
        yield _unproven(
            "the steady run did no work",
            "at least one operation of the steady run is acknowledged",
            f"none of its {len(ended)} was",
        )
    if steady.tasks and not any(task.state == "success" for task in steady.tasks):
        yield _unproven(
            "the steady run did no work", "at least one task of the steady run does something", "all were skipped"
        )


def _not_drilled(case: Case) -> Iterator[Finding]:
    began = any(event.role is RunRole.DRILLED for _, event in case.history.of(RunChanged))
    if case.drilled is None or not began:
        yield _unproven(
            "the drilled run never was",
            "a run of the system's work goes on while the faults are on",
            "the drill ended before it began" if case.drilled is None else "it was never seen to begin",
        )


def _unproven(title: str, expected: str, found: str) -> Finding:
    return Finding(check=NAME, weight=Weight.UNPROVEN, title=title, expected=expected, found=found, see="history.jsonl")


CHECK = Check(
    name=NAME,
    judge=ran,
    holds_when="the steady run ended well and did work, and the drilled run was there",
    witness="Airflow's API, or the workload",
    blind_to="whether the steady run did all that it should",
)
