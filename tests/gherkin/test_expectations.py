"""Each Then holds for a sound drill, and fails when what it says is not so, or was never looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.checks.case import Case
from harness.checks.registry import checkable
from harness.gherkin import expectations
from harness.history.events import FaultHealed, FaultHit, FaultObserved, PhaseEnded, Recovered
from harness.history.reads import Notification, OutcomeRow
from harness.history.roles import RunRole
from harness.report.result import DrillFailed, DrillResult

DRILLED = "drilled__1"
Make = Callable[..., DrillResult]
But = Callable[..., Case]
Then = Callable[[DrillResult], None]

THENS: dict[str, tuple[str, Then]] = {
    "faults": ("fault-hit", expectations.expect_faults_hit_and_healed),
    "artifacts": ("artifacts-once", expectations.expect_artifacts_once),
    "orders": ("orders-once", lambda result: expectations.expect_orders(result, "exactly", 1, per_symbol=True)),
    "report": ("not-silent", lambda result: expectations.expect_report(result, "degraded", 1)),
    "recovery": ("bounded", lambda result: expectations.expect_recovery(result, 30)),
    "run time": ("bounded", lambda result: expectations.expect_run_time(result, 60)),
}


@pytest.mark.parametrize("name", THENS)
def test_then_holds_for_a_sound_drill(name: str, sound: Case, result_of: Make) -> None:
    """Nothing is held against a drill in which everything was as promised."""
    THENS[name][1](result_of(sound))


@pytest.mark.parametrize("name", [name for name in THENS if name != "faults"])
def test_then_fails_when_its_check_was_not_run(name: str, sound: Case, result_of: Make) -> None:
    """No finding of a check that did not run is no proof of anything."""
    check, then = THENS[name]
    others = [promise for promise in checkable(sound.adapters) if promise != check]
    with pytest.raises(DrillFailed, match=f"'{check}' should have been checked"):
        then(result_of(sound, others))


@pytest.mark.parametrize("name", THENS)
def test_then_fails_when_the_drill_was_not_sound(name: str, but_events: Callable[..., Case], result_of: Make) -> None:
    """A drill whose fault never hit the system tells nothing, also when the other checks are content."""
    with pytest.raises(DrillFailed, match=r"INCONCLUSIVE(.|\n)*did not hit"):
        THENS[name][1](result_of(but_events(without=(FaultObserved,))))


@pytest.mark.parametrize("name", [name for name in THENS if name != "faults"])
def test_then_fails_when_the_workflow_never_ran(name: str, but: But, sound: Case, result_of: Make) -> None:
    """A drill that ended in its steady phase has no run to speak of."""
    runs = {run_id: run for run_id, run in sound.reads.runs.items() if run.role is not RunRole.DRILLED}
    spoiled = but(runs=runs, artifacts=(), recorded_orders=(), broker_orders=(), outcomes=(), notifications=())
    with pytest.raises(DrillFailed):
        THENS[name][1](result_of(spoiled))


def test_faults_none_planned_fails(sound: Case, result_of: Make) -> None:
    """A fault that was not planned has not hit."""
    healthy = dataclasses.replace(sound, faults=())
    with pytest.raises(DrillFailed, match="nothing was planned to go wrong"):
        expectations.expect_faults_hit_and_healed(result_of(healthy))


def test_faults_not_healed_fails(but_events: Callable[..., Case], result_of: Make) -> None:
    """A fault through which nothing went afterwards is still on."""
    with pytest.raises(DrillFailed, match="not healed"):
        expectations.expect_faults_hit_and_healed(result_of(but_events(without=(FaultHealed,))))


def test_faults_without_observation_fails(but_events: Callable[..., Case], result_of: Make) -> None:
    """A fault that the harness did not observe may not have been on."""
    with pytest.raises(DrillFailed, match="did not observe it"):
        expectations.expect_faults_hit_and_healed(result_of(but_events(without=(FaultObserved,))))


def test_artifacts_lost_one_fails(but: But, sound: Case, result_of: Make) -> None:
    """The finding of the check is what the reader sees."""
    with pytest.raises(DrillFailed, match=r"an artifact was lost(.|\n)*report "):
        expectations.expect_artifacts_once(result_of(but(artifacts=sound.reads.artifacts[1:])))


@pytest.mark.parametrize(("bound", "wanted"), [("exactly", 0), ("exactly", 2), ("at most", 0)])
def test_orders_wrong_number_fails(bound: str, wanted: int, sound: Case, result_of: Make) -> None:
    """One order is neither none nor two."""
    with pytest.raises(DrillFailed, match=rf"{bound} {wanted} orders(.|\n)*, 1 in its ledger"):
        expectations.expect_orders(result_of(sound), bound, wanted, per_symbol=False)


def test_orders_at_most_allows_fewer(sound: Case, result_of: Make) -> None:
    """One order is at most two."""
    expectations.expect_orders(result_of(sound), "at most", 2, per_symbol=False)


def test_report_of_success_under_a_fault_fails(but: But, sound: Case, result_of: Make) -> None:
    """A run that hides what happened to it is found, also where the scenario would let it."""
    outcomes = tuple(OutcomeRow(row.execution_id, "success", "[]") for row in sound.reads.outcomes)
    silent = dataclasses.replace(but(outcomes=outcomes, notifications=()), outcomes=("success", "degraded", "failed"))
    with pytest.raises(DrillFailed, match="should report itself as 'degraded', and says 'success'"):
        expectations.expect_report(result_of(silent), "degraded", 1)


def test_report_told_twice_fails(but: But, sound: Case, result_of: Make) -> None:
    """The same alert twice is one too many."""
    twice = (*sound.reads.notifications, Notification(2, f"run {DRILLED} is degraded"))
    with pytest.raises(DrillFailed, match="the same was told several times"):
        expectations.expect_report(result_of(but(notifications=twice)), "degraded", 1)


def test_recovery_too_late_fails(sound: Case, result_of: Make) -> None:
    """The Then's own limit counts, not the scenario's."""
    with pytest.raises(DrillFailed, match=r"within 4 s of the last heal expected, it took 4\.9 s"):
        expectations.expect_recovery(result_of(sound), 4)


def test_recovery_that_never_came_fails(but_events: Callable[..., Case], result_of: Make) -> None:
    """A system that was never seen back to normal has not recovered."""
    with pytest.raises(DrillFailed, match="did not recover in time"):
        expectations.expect_recovery(result_of(but_events(without=(Recovered,))), 30)


def test_recovery_of_a_drill_without_faults_fails(but_events: Callable[..., Case], result_of: Make) -> None:
    """There is nothing to recover from."""
    healthy = dataclasses.replace(but_events(without=(FaultHealed, Recovered, FaultHit, FaultObserved)), faults=())
    kept = [entry for entry in healthy.history.entries if not hasattr(entry.event, "fault")]
    calm = dataclasses.replace(healthy, history=dataclasses.replace(healthy.history, entries=tuple(kept)))
    with pytest.raises(DrillFailed, match="nothing was planned"):
        expectations.expect_recovery(result_of(calm), 30)


def test_run_time_too_long_fails(sound: Case, result_of: Make) -> None:
    """The drilled run took 17 s."""
    with pytest.raises(DrillFailed, match=r"should end within 16 s, and it took 17\.0 s"):
        expectations.expect_run_time(result_of(sound), 16)


def test_result_of_an_unsteady_system_is_not_sound(but_events: Callable[..., Case], result_of: Make) -> None:
    """Where the steady state did not hold before the faults, no Then holds."""
    failed = PhaseEnded(phase="steady", took_s=1.0, failure="a link does not answer")
    with pytest.raises(DrillFailed, match="a link does not answer"):
        result_of(but_events(without=(PhaseEnded,), plus=((3.0, failed),))).expect("artifacts-once")
