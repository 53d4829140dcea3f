"""A run ends in bounded time, the system recovers in time, and it does not storm others meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import RUN_ENDED, Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.checks.storms import storms
from harness.history.events import FaultHealed, PhaseEnded, Recovered, RunChanged, RunGivenUp
from harness.history.history import History
from harness.history.unended import still_at_work

NAME = "bounded"


def bounded(case: Case) -> Sequence[Finding]:
    """Read both times, by the system's own clock where it keeps one, and count attempts against the steady run's."""
    return [*_run_time(case), *_recovery(case), *storms(case, NAME)]


def _run_time(case: Case) -> Iterator[Finding]:
    changes = [(entry, event) for entry, event in case.history.of(RunChanged) if event.run == case.drilled_run]
    began = changes[0][0] if changes else None
    ended = next((entry for entry, event in changes if event.state in RUN_ENDED), None)
    if began is None:
        return
    own_s = _own_time_s(case)
    took_s = own_s if own_s is not None else ended.at_s - began.at_s if ended is not None else None
    given_up = case.drilled_run in case.cut_short
    if given_up or took_s is None or took_s > case.run_limit_s:
        took = f"it took {took_s:.1f} s" if took_s is not None else "it was still running then"
        if given_up:
            took = still_at_work(_before_it_was_given_up(case), case.drilled_run)
        yield Finding(
            check=NAME,
            weight=Weight.LIVENESS,
            title="the run did not end in time",
            expected=f"run {case.drilled_run} ends within {case.run_limit_s:g} s",
            found=f"{took} ({'Airflow' if case.adapters.airflow else 'the workload'})",
            see=case.history.lines(began, ended),
        )


def _own_time_s(case: Case) -> float | None:
    """How long the run took by the clock of what runs it: a look at it comes late, and sees a short run shorter."""
    run = case.drilled
    if run is None or run.started_at is None or run.ended_at is None:
        return None
    return (run.ended_at - run.started_at).total_seconds()


def _before_it_was_given_up(case: Case) -> History:
    """What happened until then: what is told of a run's tasks after it was given up is the harness's own doing."""
    given_up = next((entry for entry, event in case.history.of(RunGivenUp) if event.run == case.drilled_run), None)
    return case.history if given_up is None else History(case.history.entries[: given_up.seq - 1])


def _recovery(case: Case) -> Iterator[Finding]:
    healed = [entry for entry, _ in case.history.of(FaultHealed)]
    recovered = [event for _, event in case.history.of(Recovered)]
    if not healed or any(event.took_s <= case.recovery_limit_s for event in recovered):
        return
    failure = next((event.failure for _, event in case.history.of(PhaseEnded) if event.phase == "settle"), None)
    took = f"it took {recovered[-1].took_s:.1f} s" if recovered else failure or "it was not by the end of the drill"
    yield Finding(
        check=NAME,
        weight=Weight.LIVENESS,
        title="the system did not recover in time",
        expected=f"back in its normal state within {case.recovery_limit_s:g} s of the end of the run and the last heal",
        found=took,
        see=case.history.lines(healed[-1], None),
    )


CHECK = Check(
    name=NAME,
    judge=bounded,
    holds_when="the run ends in time, a fresh one succeeds soon after run and faults, and no link sees a storm",
    witness="Airflow's API, or the workload; the proxies' logs",
    blind_to="a slow part within a run that ends in time; fewer than ten attempts a second",
)
