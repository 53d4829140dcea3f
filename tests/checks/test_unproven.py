"""What was not seen is never a pass, and what was seen by one witness counts though the others could not tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from harness.checks.case import Case
from harness.checks.finding import Verdict
from harness.checks.registry import BUILT_IN
from harness.checks.verdict import findings_in, judge, verdict_of
from harness.history.events import FaultHit, FaultOn, PhaseEnded, RunChanged, RunGivenUp
from harness.history.measurements import HarnessStalled, LinkUsed, ResourcesMeasured
from harness.history.reads import (
    ArtifactRow,
    FinalReads,
)
from tests.checks.conftest import BEGAN, DRILLED, RECOVERY, STEADY, at_broker, recorded
from tests.checks.spoiling import Spoil, both, events, of, reads, rows, signals, told, word

UNPROVEN: Mapping[str, tuple[str, Spoil]] = {
    "no artifact was seen in the steady run": (
        "witnessed",
        both(
            rows(lambda row: None if row.execution_id == STEADY else row),
            lambda case: reads(
                runs={name: dataclasses.replace(run, tasks=()) for name, run in case.reads.runs.items()}
            )(case),
        ),
    ),
    "the ledger saw no order in the steady run": (
        "witnessed",
        reads(
            broker_orders=(at_broker(DRILLED), at_broker(RECOVERY)),
            recorded_orders=(
                dataclasses.replace(recorded(STEADY), status="INTENT"),
                recorded(DRILLED),
                recorded(RECOVERY),
            ),
        ),
    ),
    "the drilled run never began": ("ran", lambda case: dataclasses.replace(case, drilled_run="")),
    "the steady run failed": (
        "ran",
        events((3.0, PhaseEnded(phase="steady", took_s=1, failure="a run failed")), without=(PhaseEnded,)),
    ),
    "SQL of the artifacts could not be read": (
        "artifacts-once",
        reads(artifacts=(), unread={"artifacts": "no answer within 30 s"}),
    ),
    "the ledger could not be read": ("orders-once", reads(broker_orders=(), unread={"gateway": "refused"})),
    "the sink could not be read": ("not-silent", reads(notifications=(), unread={"notifications": "refused"})),
    "the outcome could not be read": ("not-silent", reads(outcomes=(), unread={"outcome": "refused"})),
    "nothing was measured": ("not-leaking", events(without=(ResourcesMeasured, LinkUsed))),
    "secrets were not looked for": ("private", reads(leaks=None)),
    "the outbox could not be read": ("drained", reads(outbox=None, unread={"outbox": "exit code 1"})),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_what_was_not_seen_is_never_a_pass(sound: Case, name: str) -> None:
    """Each of these is INCONCLUSIVE, and a finding says which promise it is about; the system is not blamed."""
    check, spoil = UNPROVEN[name]
    judged = judge(spoil(sound), (check,) if check in BUILT_IN else ("artifacts-once", "orders-once"))
    assert verdict_of(judged) is Verdict.INCONCLUSIVE
    assert {finding.check for finding in findings_in(judged)} == {check}


def test_loss_that_one_witness_saw_is_found_though_another_could_not_be_read(sound: Case) -> None:
    """Two orders of one reference in the ledger are an order sent twice, though SQL could not be asked."""
    twice = (*sound.reads.broker_orders, dataclasses.replace(at_broker(DRILLED), perm_id=99))
    case = reads(broker_orders=twice, recorded_orders=(), unread={"orders": "no answer within 30 s"})(sound)
    judged = judge(case, ("orders-once",))
    assert verdict_of(judged) is Verdict.FAIL
    assert [each.title for each in judged["orders-once"]] == ["an order was sent twice", "it could not be judged"]


def test_run_that_was_given_up_is_not_blamed_for_its_unfinished_record(sound: Case) -> None:
    """What the harness cut short was about to be recorded; what was sent twice stays sent twice."""
    unfinished = (recorded(STEADY), dataclasses.replace(recorded(DRILLED), status="INTENT"), recorded(RECOVERY))
    given_up = both(reads(recorded_orders=unfinished), events((21.0, RunGivenUp(run=DRILLED))))(sound)
    assert not judge(given_up, ("orders-once",))["orders-once"]
    twice = (*sound.reads.broker_orders, dataclasses.replace(at_broker(DRILLED), perm_id=99))
    again = reads(broker_orders=twice)(given_up)
    assert "an order was sent twice" in {each.title for each in judge(again, ("orders-once",))["orders-once"]}


def test_degraded_run_may_leave_less(sound: Case) -> None:
    """It says that it is degraded, the task has not ended well, and it sent no order: that is graceful."""

    def spoil(case: Case) -> Case:
        run = case.reads.runs[DRILLED]
        tasks = (run.tasks[0], dataclasses.replace(run.tasks[1], state="failed"))
        runs = {**case.reads.runs, DRILLED: dataclasses.replace(run, tasks=tasks)}
        return both(
            rows(lambda row: None if (row.execution_id, row.type) == (DRILLED, "order") else row),
            reads(
                runs=runs,
                recorded_orders=(recorded(STEADY), recorded(RECOVERY)),
                broker_orders=(at_broker(STEADY), at_broker(RECOVERY)),
            ),
        )(case)

    assert findings_in(judge(spoil(sound), ())) == ()


def test_stand_in_of_a_degraded_run_may_hold_something_else(sound: Case) -> None:
    """A fallback's signal stands in place of the model's, where the run says so; in a run that says success it lies."""
    stands_in = rows(of(DRILLED, "chart", contents=(("chart_data", "rule"),), substitute=True))(sound)
    assert not judge(stands_in, ())["artifacts-once"]
    assert judge(both(word("success"), told())(stands_in), ())["artifacts-once"]


def test_stall_of_the_harness_excuses_what_is_judged_by_time_and_no_loss(sound: Case) -> None:
    """What was judged by time while the harness stood still is not held against the system; what was lost is."""
    slow = events((21.0, RunGivenUp(run=DRILLED)), (22.0, HarnessStalled(took_s=20.0)))(sound)
    assert verdict_of(judge(slow, ())) is Verdict.INCONCLUSIVE
    assert verdict_of(judge(reads(artifacts=sound.reads.artifacts[1:])(slow), ())) is Verdict.FAIL


def test_steady_state_that_failed_is_no_pass_whichever_promise_is_named(sound: Case) -> None:
    """Proofs always apply: ``promises: [bounded]`` leaves none of them out."""
    failed = PhaseEnded(phase="steady", took_s=1, failure="a run without any fault ended as failed")
    spoiled = events((3.0, failed), without=(PhaseEnded, RunChanged, FaultOn, FaultHit))(sound)
    empty = FinalReads({}, (), (), (), (), ())
    case = dataclasses.replace(spoiled, reads=empty, drilled_run="", faults=())
    assert verdict_of(judge(case, ("bounded",))) is Verdict.INCONCLUSIVE


def test_run_that_failed_without_a_fault_is_blamed_with_any_adapters(sound: Case) -> None:
    """A fault that never came excuses nothing: the run failed by itself."""
    adapters = sound.adapters.model_copy(update={"outcome": None, "notifications": None})
    run = dataclasses.replace(sound.reads.runs[DRILLED], state="failed")
    spoiled = reads(runs={**sound.reads.runs, DRILLED: run})(events(without=(FaultOn, FaultHit))(sound))
    case = dataclasses.replace(spoiled, adapters=adapters, faults=(), outcomes=())
    judged = judge(case, ("bounded",))
    assert verdict_of(judged) is Verdict.FAIL
    assert [finding.title for finding in judged["outcomes"]] == ["the run ended failed"]


def test_hundred_thousand_losses_are_told_by_their_number(sound: Case) -> None:
    """A report is for people."""
    unknown = tuple(ArtifactRow(f"manual__{n}", None, "chart", None, "chart") for n in range(100_000))
    found = judge(reads(artifacts=(*sound.reads.artifacts, *unknown))(sound), ("artifacts-once",))["artifacts-once"]
    assert len(found) == 21
    assert found[-1].found.startswith("99980 more like it")


def test_data_of_yesterday_is_fresh_on_a_monday(sound: Case) -> None:
    """Over a weekend no session passes: Friday's bars are the newest on Monday morning."""
    monday = dataclasses.replace(at_broker(DRILLED), received_at=BEGAN + timedelta(days=3))
    case = both(
        reads(broker_orders=(at_broker(STEADY), monday, at_broker(RECOVERY))), signals(data_as_of=date(2026, 11, 27))
    )(sound)
    assert not judge(case, ("orders-follow-signals",))["orders-follow-signals"]
