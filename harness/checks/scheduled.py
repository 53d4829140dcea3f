"""A run comes at its tick, once; none comes unasked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import OtherRun

NAME = "scheduled"
_EARLY = timedelta(seconds=1)


def scheduled(case: Case) -> Sequence[Finding]:
    """Hold the runs that the harness did not start against the ticks of the schedule."""
    if case.reads.other_runs is None or not case.was_read("airflow"):
        return []
    late = timedelta(seconds=case.adapters.schedule.late_s) if case.adapters.schedule else timedelta()
    by_tick: dict[datetime, list[OtherRun]] = {}
    findings: list[Finding] = []
    for run in case.reads.other_runs:
        if run.tick is None or run.tick not in case.reads.ticks:
            findings += [_unasked(case, run)]
        else:
            by_tick.setdefault(run.tick, []).append(run)
    return [*findings, *_of_ticks(case, by_tick, late)]


def _unasked(case: Case, run: OtherRun) -> Finding:
    began = case.wall_at(0.0)
    past = run.tick is not None and began is not None and run.tick < began
    title = "a run came for a time that is past" if past else "a run came unasked"
    schedule = case.adapters.schedule
    when = f"at the ticks of '{schedule.cron}' alone" if schedule else "only when the harness starts them"
    return _finding(title, f"runs come {when}", f"{run.kind} run {run.run_id} came, for {run.tick or 'no tick'}")


def _of_ticks(case: Case, by_tick: dict[datetime, list[OtherRun]], late: timedelta) -> Iterator[Finding]:
    for tick in case.reads.ticks:
        runs = by_tick.get(tick, [])
        if not runs:
            yield _finding("a tick had no run", f"a run at {tick}", "none came")
        elif len(runs) > 1:
            listed = ", ".join(run.run_id for run in runs)
            yield _finding("a tick had several runs", f"one run at {tick}", listed)
        for run in runs[:1]:
            if run.created_at is not None and not tick - _EARLY <= run.created_at <= tick + late:
                expected = f"run {run.run_id} comes within {late.total_seconds():g} s of {tick}"
                yield _finding("a run did not come at its tick", expected, f"it came at {run.created_at}")


def _finding(title: str, expected: str, found: str) -> Finding:
    see = "reads.json: other_runs, ticks"
    return Finding(check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=scheduled,
    holds_when="a run comes at each tick of the schedule, once; none on a closed day, for the past, or unasked for",
    witness="Airflow's API",
    needs=("airflow",),
    blind_to="ticks while no drill goes on; the length of a run",
)
