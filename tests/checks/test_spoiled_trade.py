"""The judge alone on spoiled artifacts, orders and decisions: each way of losing them is found by its promise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import pytest

from harness.checks.case import Case
from harness.history.measurements import OrderRecorded
from harness.history.reads import (
    ArtifactRow,
)
from tests.checks.conftest import BEGAN, DRILLED, RECOVERY, STEADY, at_broker, recorded
from tests.checks.spoiling import ALL, Spoil, assert_found_by, both, events, of, orders, reads, rows, signals

LOST: Mapping[str, tuple[str, Spoil]] = {
    # artifacts
    "no artifact at all": ("artifacts-once", reads(artifacts=())),
    "an artifact emptied": (
        "artifacts-once",
        rows(of(DRILLED, "chart", contents=(("chart_data", ""),))),
    ),
    "all payloads emptied, in every run": (
        "artifacts-once",
        rows(lambda row: dataclasses.replace(row, contents=tuple((name, "") for name, _ in row.contents))),
    ),
    "other contents than in the steady run": (
        "artifacts-once",
        rows(of(DRILLED, "chart", contents=(("chart_data", "c2"),))),
    ),
    "a double under another name": (
        "artifacts-once",
        lambda case: reads(
            artifacts=(
                *case.reads.artifacts,
                ArtifactRow(DRILLED, "place_order", "order", "AAPL", "AAPL order (2)", (("metadata", "m1"),)),
            )
        )(case),
    ),
    "a double with other contents": (
        "artifacts-once",
        lambda case: reads(
            artifacts=(
                *case.reads.artifacts,
                ArtifactRow(DRILLED, "place_order", "order", "AAPL", "AAPL order", (("metadata", "m2"),)),
            )
        )(case),
    ),
    "rows of one run in another": (
        "artifacts-once",
        rows(of(DRILLED, "chart", execution_id=RECOVERY, name="AAPL daily chart ")),
    ),
    "rows of a run that does not exist": ("artifacts-once", rows(of(DRILLED, "chart", execution_id="manual__x"))),
    "lost though the run says success": (
        "artifacts-once",
        lambda case: both(
            rows(lambda row: None if (row.execution_id, row.type) == (RECOVERY, "order") else row),
            reads(
                runs={
                    name: dataclasses.replace(run, tasks=()) if name == RECOVERY else run
                    for name, run in case.reads.runs.items()
                }
            ),
        )(case),
    ),
    "wrong symbol throughout": (
        "artifacts-once",
        rows(lambda row: dataclasses.replace(row, symbol="MSFT")),
    ),
    # orders
    "no order though the run says success": (
        "orders-once",
        both(
            reads(
                recorded_orders=tuple(recorded(run) for run in (STEADY, DRILLED)),
                broker_orders=tuple(at_broker(run) for run in (STEADY, DRILLED)),
            )
        ),
    ),
    "orders for another symbol throughout": ("orders-once", orders(symbol="MSFT")),
    "a hundred times the quantity": ("orders-once", orders((DRILLED,), quantity=Decimal(1000), filled=Decimal(1000))),
    "the other side": ("orders-once", orders((DRILLED,), action="SELL")),
    "an order that no record knows": (
        "orders-once",
        lambda case: reads(
            broker_orders=(*case.reads.broker_orders, dataclasses.replace(at_broker(DRILLED), order_ref="manual-1"))
        )(case),
    ),
    "recorded under a run that does not exist": (
        "orders-once",
        reads(recorded_orders=tuple(dataclasses.replace(recorded(run), execution_id="manual__x") for run in ALL)),
    ),
    "recorded under another run": (
        "orders-once",
        reads(
            recorded_orders=(
                recorded(STEADY),
                dataclasses.replace(recorded(DRILLED), execution_id=RECOVERY, symbol="AAPL"),
                dataclasses.replace(recorded(RECOVERY), execution_id=DRILLED),
            )
        ),
    ),
    "filled in the record before the fill": (
        "orders-once",
        events((8.01, OrderRecorded(order_ref=f"ref-{DRILLED}", status="FILLED", filled=Decimal(10)))),
    ),
    "sent in the record before the broker had it": (
        "orders-once",
        events((7.5, OrderRecorded(order_ref=f"ref-{DRILLED}", status="SUBMITTED", filled=Decimal(0)))),
    ),
    # decisions
    "SELL sent on a decision to BUY": ("orders-follow-signals", orders(action="SELL")),
    "an order on the fallback rule's word": ("orders-follow-signals", signals(actionable=False)),
    "an order without any decision": ("orders-follow-signals", reads(signals=())),
    "an order a hundred times as large, in every run": (
        "orders-follow-signals",
        orders(quantity=Decimal(1000), filled=Decimal(1000)),
    ),
    "an order on prices 60 bars old": (
        "orders-follow-signals",
        signals(data_as_of=BEGAN.date() - timedelta(days=84)),
    ),
    "an order after a failed pre-flight": (
        "orders-follow-signals",
        lambda case: reads(
            runs={
                name: dataclasses.replace(
                    run, tasks=tuple(dataclasses.replace(task, state="failed") for task in run.tasks[:1])
                )
                if name == DRILLED
                else run
                for name, run in case.reads.runs.items()
            }
        )(case),
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_loss_is_found_by_the_promise_that_is_broken(sound: Case, name: str) -> None:
    """Each of these fails the drill, and the promise that is broken says so."""
    promise, spoil = LOST[name]
    assert_found_by(promise, spoil(sound))
