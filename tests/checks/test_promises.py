"""Each promise: it holds for a sound drill, and each way of breaking it is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal

import pytest

from harness.checks.artifacts_once import artifacts_once
from harness.checks.bounded import bounded
from harness.checks.case import Case
from harness.checks.finding import Finding, Verdict, Weight
from harness.checks.not_silent import not_silent
from harness.checks.orders_once import orders_once
from harness.checks.outcomes import outcomes
from harness.checks.ran import ran
from harness.checks.registry import BUILT_IN, PROOFS
from harness.checks.steady import steady
from harness.checks.verdict import findings_in, held_in, judge, promises_in, verdict_of
from harness.history.events import FaultHealed, FaultHit, PhaseEnded, Recovered, RunChanged
from harness.history.history import History
from harness.history.reads import ArtifactRow, Notification, OutcomeRow

But = Callable[..., Case]
DRILLED = "drilled__1"
RECOVERY = "recovery__1"


def titles(findings: object) -> list[str]:
    """The titles of findings."""
    assert isinstance(findings, list | tuple)
    return [finding.title for finding in findings if isinstance(finding, Finding)]


def test_sound_drill_passes(sound: Case) -> None:
    """A drill in which everything held passes every check."""
    judged = judge(sound, ())
    assert (verdict_of(judged), findings_in(judged)) == (Verdict.PASS, ())
    assert len(promises_in(judged)) == len(held_in(judged)) == 11


def test_artifacts_lost_one_is_found(sound: Case, but: But) -> None:
    """A task that ended well and left no row lost its artifact."""
    rows = tuple(row for row in sound.reads.artifacts if row.type != "chart" or row.execution_id != DRILLED)
    assert titles(artifacts_once(but(artifacts=rows))) == ["an artifact was lost"]


def test_artifacts_of_a_failed_task_may_be_missing(sound: Case, but: But) -> None:
    """A task that failed has promised nothing."""
    run = sound.reads.runs[DRILLED]
    tasks = tuple(dataclasses.replace(task, state="failed") for task in run.tasks)
    rows = tuple(row for row in sound.reads.artifacts if row.execution_id != DRILLED)
    runs = {**sound.reads.runs, DRILLED: dataclasses.replace(run, tasks=tasks)}
    assert titles(artifacts_once(but(artifacts=rows, runs=runs))) == []


def test_artifacts_stored_twice_are_found(sound: Case, but: But) -> None:
    """The same artifact in two rows is a double."""
    rows = (*sound.reads.artifacts, sound.reads.artifacts[0])
    assert titles(artifacts_once(but(artifacts=rows))) == ["an artifact was stored twice"]


def test_artifacts_of_no_run_are_found(sound: Case, but: But) -> None:
    """A row that bears no run of the drill belongs to no run."""
    of_no_run = ArtifactRow("scheduled__x", "place_order", "order", "AAPL", "order")
    assert titles(artifacts_once(but(artifacts=(*sound.reads.artifacts, of_no_run)))) == [
        "an artifact belongs to no run"
    ]


def test_artifacts_of_another_symbol_are_found(sound: Case, but: But) -> None:
    """A row for a symbol that the run did not trade is not of that run."""
    of_no_task = ArtifactRow(DRILLED, "place_order", "order", "MSFT", "order")
    assert titles(artifacts_once(but(artifacts=(*sound.reads.artifacts, of_no_task)))) == [
        "an artifact is not of its run"
    ]


def cut_short(sound: Case, but: But, **reads: object) -> Case:
    """The same case, but the run under fault was going on when the drill was broken off."""
    run = dataclasses.replace(sound.reads.runs[DRILLED], state="running")
    return but(runs={**sound.reads.runs, DRILLED: run}, **reads)


def test_run_that_was_cut_short_is_not_blamed_for_what_it_was_about_to_say(sound: Case, but: But) -> None:
    """It had not come to its end: neither its word, nor its notification, nor its order's last state is due."""
    outcomes = tuple(dataclasses.replace(row, outcome="running") for row in sound.reads.outcomes[:1])
    order = dataclasses.replace(sound.reads.recorded_orders[0], status="INTENT")
    spoiled = {
        "outcomes": (*outcomes, *sound.reads.outcomes[1:]),
        "notifications": (),
        "recorded_orders": (order, *sound.reads.recorded_orders[1:]),
    }
    assert len(titles([*not_silent(but(**spoiled)), *orders_once(but(**spoiled))])) > 1
    case = cut_short(sound, but, **spoiled)
    assert titles([*not_silent(case), *orders_once(case)]) == []


def test_run_that_was_cut_short_is_blamed_for_what_it_did_twice(sound: Case, but: But) -> None:
    """An order that was sent twice stays sent twice."""
    twice = dataclasses.replace(sound.reads.broker_orders[0], perm_id=77)
    case = cut_short(sound, but, broker_orders=(*sound.reads.broker_orders, twice))
    assert "an order was sent twice" in titles(orders_once(case))


def test_run_that_never_ends_is_no_pass(sound: Case, but: But) -> None:
    """That the drill was over before the run was is never taken for a success."""
    going_on = tuple(
        entry
        for entry in sound.history.entries
        if not isinstance(entry.event, RunChanged) or entry.event.state == "running"
    )
    case = dataclasses.replace(cut_short(sound, but), history=History(going_on))
    assert verdict_of(judge(case, ())) is Verdict.FAIL


def test_orders_sent_twice_are_found(sound: Case, but: But) -> None:
    """Two orders with one reference in the ledger are one order sent twice."""
    twice = dataclasses.replace(sound.reads.broker_orders[0], perm_id=77)
    assert "an order was sent twice" in titles(orders_once(but(broker_orders=(*sound.reads.broker_orders, twice))))


def test_orders_decided_twice_are_found(sound: Case, but: But) -> None:
    """Two orders for one symbol in one run, under two references, are a double too."""
    record, order = sound.reads.recorded_orders[0], sound.reads.broker_orders[0]
    second = dataclasses.replace(record, order_ref="other")
    at_broker = dataclasses.replace(order, order_ref="other")
    case = but(
        recorded_orders=(*sound.reads.recorded_orders, second), broker_orders=(*sound.reads.broker_orders, at_broker)
    )
    assert titles(orders_once(case)) == [
        "an order was placed twice in one run",
        "an order was sent that no sound run sends",
    ]


def test_orders_unrecorded_are_found(sound: Case, but: But) -> None:
    """An order of the ledger without a record is unrecorded."""
    assert titles(orders_once(but(recorded_orders=sound.reads.recorded_orders[1:]))) == [
        "an order at the broker is not recorded"
    ]


def test_orders_that_the_broker_never_had_are_found(sound: Case, but: But) -> None:
    """A record that says filled, for an order that never arrived, is an invention."""
    assert titles(orders_once(but(broker_orders=sound.reads.broker_orders[1:]))) == [
        "an order is recorded that the broker never had"
    ]


def test_orders_never_sent_need_no_broker(sound: Case, but: But) -> None:
    """An intent that was not sent is a true record."""
    intent = dataclasses.replace(sound.reads.recorded_orders[0], status="INTENT")
    records = (intent, *sound.reads.recorded_orders[1:])
    assert titles(orders_once(but(recorded_orders=records, broker_orders=sound.reads.broker_orders[1:]))) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "CANCELLED"),
        ("filled", Decimal(9)),
        ("avg_price", Decimal("187.51")),
        ("avg_price", None),
        ("perm_id", None),
        ("action", "SELL"),
    ],
)
def test_orders_recorded_wrongly_are_found(sound: Case, but: But, field: str, value: object) -> None:
    """Each field that differs from the ledger is named."""
    changes: dict[str, object] = {field: value}
    wrong = dataclasses.replace(sound.reads.recorded_orders[0], **changes)  # type: ignore[arg-type]
    findings = orders_once(but(recorded_orders=(wrong, *sound.reads.recorded_orders[1:])))
    assert titles(findings) == ["an order is recorded wrongly"]


def test_orders_of_an_uneven_average_price_agree(sound: Case, but: But) -> None:
    """Three fills may have an average that neither side can write down in full."""
    third = Decimal(1) / 3
    truth = dataclasses.replace(sound.reads.broker_orders[0], avg_price=third)
    record = dataclasses.replace(sound.reads.recorded_orders[0], avg_price=third.quantize(Decimal("0.00000001")))
    reads = {
        "broker_orders": (truth, *sound.reads.broker_orders[1:]),
        "recorded_orders": (record, *sound.reads.recorded_orders[1:]),
    }
    assert titles(orders_once(but(**reads))) == []


def test_orders_left_unknown_are_found(sound: Case, but: But) -> None:
    """An order whose fate was not found out is a finding, although the record is honest."""
    unknown = dataclasses.replace(sound.reads.recorded_orders[0], status="UNKNOWN")
    findings = orders_once(but(recorded_orders=(unknown, *sound.reads.recorded_orders[1:])))
    assert titles(findings) == ["an order's fate was left unknown"]


def test_silence_of_a_run_that_reports_success_is_found(but: But) -> None:
    """A run that met an outage and calls itself a success was silent."""
    words = (OutcomeRow(DRILLED, "success", "[]"), OutcomeRow(RECOVERY, "success", "[]"))
    assert titles(outcomes(but(outcomes=words, notifications=()))) == ["a failure stayed silent"]


@pytest.mark.parametrize(
    ("messages", "title"), [(0, "no notification was sent"), (2, "the same was told several times")]
)
def test_silence_counts_notifications(but: But, messages: int, title: str) -> None:
    """A degraded run is told of once: not never, not twice."""
    sent = tuple(
        Notification(seq, f"{DRILLED} degraded: the backend was away, in generate_daily_chart")
        for seq in range(messages)
    )
    assert titles(not_silent(but(notifications=sent))) == [title]


def test_silence_of_a_run_without_outcome_is_found(but: But) -> None:
    """A run that left no word of its own is found."""
    words = (OutcomeRow(RECOVERY, "success", "[]"),)
    assert "a run says nothing of its outcome" in titles(not_silent(but(outcomes=words, notifications=())))


def test_bounded_run_that_never_ended_is_found(but_events: But) -> None:
    """A run that has no end in the history did not end in time."""
    started = next((at_s, event) for at_s, event in ((4.0, RunChanged(run=DRILLED, role="drilled", state="running")),))
    assert titles(bounded(but_events(without=(RunChanged,), plus=(started,)))) == ["the run did not end in time"]


def test_bounded_system_that_did_not_recover_is_found(but_events: But) -> None:
    """Without a recovery in time, the system did not recover."""
    late = but_events(without=(Recovered,), plus=((60.0, Recovered(took_s=31.0)),))
    assert titles(bounded(but_events(without=(Recovered,)))) == ["the system did not recover in time"]
    assert titles(bounded(late)) == ["the system did not recover in time"]


def test_steady_state_before_the_drill_decides_nothing(but_events: But) -> None:
    """A system that was broken before tells nothing of the fault."""
    broken = but_events(without=(PhaseEnded,), plus=((3.0, PhaseEnded(phase="steady", took_s=1, failure="no")),))
    findings = ran(broken)
    assert [finding.weight for finding in findings] == [Weight.UNSOUND]
    assert verdict_of(judge(broken, ())) is Verdict.INCONCLUSIVE


def test_steady_state_after_the_drill_is_demanded(sound: Case, but: But) -> None:
    """A fresh run that fails after everything was healed means that the system is still broken."""
    runs = {**sound.reads.runs, RECOVERY: dataclasses.replace(sound.reads.runs[RECOVERY], state="failed")}
    assert titles(steady(but(runs=runs))) == ["the system is not back in its steady state"]


def test_loss_outweighs_an_unsound_drill(sound: Case, but_events: But) -> None:
    """A doubled order fails the drill although its fault never hit."""
    unsound = but_events(without=(FaultHit,))
    twice = (*sound.reads.broker_orders, dataclasses.replace(sound.reads.broker_orders[0], perm_id=77))
    case = dataclasses.replace(unsound, reads=dataclasses.replace(unsound.reads, broker_orders=twice))
    assert verdict_of(judge(case, ())) is Verdict.FAIL


def test_slow_recovery_after_an_unsound_drill_is_no_failure(but_events: But) -> None:
    """A system cannot be blamed for not recovering when the fault was never lifted."""
    judged = judge(but_events(without=(FaultHealed, Recovered)), ())
    assert verdict_of(judged) is Verdict.INCONCLUSIVE
    assert {finding.weight for finding in findings_in(judged)} == {Weight.UNSOUND}


def test_registry_names_every_check_once() -> None:
    """A promise and a proof never share a name."""
    assert not set(BUILT_IN) & set(PROOFS)
