"""A run ends in bounded time, and after the faults are healed the system is back to normal within its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.check import Check
from harness.checks.finding import RUN_ENDED, Case, Finding, Weight
from harness.history.events import FaultHealed, PhaseEnded, Recovered, RunChanged

NAME = "bounded"


def bounded(case: Case) -> Sequence[Finding]:
    """Read both times from the history."""
    return [*_run_time(case), *_recovery(case)]


def _run_time(case: Case) -> Iterator[Finding]:
    changes = [(entry, event) for entry, event in case.history.of(RunChanged) if event.run == case.drilled_run]
    began = changes[0][0] if changes else None
    ended = next((entry for entry, event in changes if event.state in RUN_ENDED), None)
    if began is not None and (ended is None or ended.at_s - began.at_s > case.run_limit_s):
        took = "it was still running then" if ended is None else f"it took {ended.at_s - began.at_s:.1f} s"
        yield Finding(
            check=NAME,
            weight=Weight.LIVENESS,
            title="the run did not end in time",
            expected=f"run {case.drilled_run} ends within {case.run_limit_s:g} s",
            found=f"{took} ({'Airflow' if case.adapters.airflow else 'the workload'})",
            see=case.history.lines(began, ended),
        )


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
        expected=f"back in its normal state within {case.recovery_limit_s:g} s of the last heal",
        found=took,
        see=case.history.lines(healed[-1], None),
    )


CHECK = Check(
    name=NAME,
    judge=bounded,
    holds_when="the run ends in time, and a fresh run succeeds soon after the last heal",
    witness="Airflow's API, or the workload",
)
