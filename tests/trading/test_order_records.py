"""The tables of orders and trades: they always agree, and what is final is not taken back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.parts import Parts, new_run
from trading.workflow.executions import Execution, as_corrected
from trading.workflow.order_records import (
    OrderRecord,
    OrderState,
    OrderStatus,
    claim_sending,
    read_order,
    record_intent,
    record_state,
)
from trading.workflow.run_database import RunDatabase
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]
S = OrderStatus


def fill(run: str, exec_id: str, shares: int = 5, price: str = "10", commission: str | None = None) -> Execution:
    """An execution of a run's order; ids are unique to the run."""
    return Execution(
        exec_id=f"{run}.{exec_id}",
        order_ref="",
        perm_id=7,
        symbol="AAPL",
        side="BOT",
        shares=Decimal(shares),
        price=Decimal(price),
        commission=None if commission is None else Decimal(commission),
        executed_at=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
    )


def record(settings: WorkflowSettings, run: str, states: Sequence[OrderState], *, is_sent: bool = True) -> OrderRecord:
    """Record an order's intent, claim its sending, and record one state after the other."""

    async def work() -> OrderRecord:
        async with RunDatabase(settings, budget_s=10) as database:
            order, _ = await record_intent(
                database, execution_id=run, symbol="AAPL", action="BUY", quantity=Decimal(10)
            )
            if is_sent:
                claimed = await claim_sending(database, order, client_id=10, token=uuid.uuid4())
                assert claimed is not None
            for state in states:
                fills = tuple(one.model_copy(update={"order_ref": order.order_ref}) for one in state.fills)
                order = await record_state(database, order, state.model_copy(update={"fills": fills}))
            return await read_order(database, order.order_ref)

    return asyncio.run(work())


def trades(parts: Parts, run: str) -> list[dict[str, Any]]:
    """The recorded trades of a run."""
    return parts.rows("SELECT * FROM trades WHERE execution_id = %s ORDER BY exec_id", run)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((S.SUBMITTED, S.FILLED), S.FILLED),
        ((S.CANCELLED, S.FILLED), S.FILLED),
        ((S.REJECTED, S.CANCELLED), S.REJECTED),
        ((S.CANCELLED, S.UNKNOWN), S.CANCELLED),
        ((S.FILLED, S.CANCELLED), S.FILLED),
        ((S.FILLED, S.SUBMITTED), S.FILLED),
        ((S.UNKNOWN, S.SUBMITTED), S.SUBMITTED),
        ((S.UNKNOWN, S.NOT_SENT), S.UNKNOWN),
    ],
)
def test_final_state_is_not_taken_back(
    parts: Parts, set_up: SetUp, statuses: tuple[OrderStatus, ...], expected: OrderStatus
) -> None:
    """An end stays, but for a fill, which comes true after any record; a sent order is never called unsent."""
    states = [OrderState(status=status, reason=f"said {status}") for status in statuses]
    order = record(set_up(), new_run(), states)
    assert order.status is expected
    assert order.reason == f"said {expected}" or expected is S.UNKNOWN


def test_order_that_was_not_sent_reads_so(parts: Parts, set_up: SetUp) -> None:
    """No task claimed its sending."""
    order = record(set_up(), new_run(), [OrderState(status=S.NOT_SENT)], is_sent=False)
    assert order.status is S.NOT_SENT


def test_numbers_of_an_order_are_those_of_its_trades(parts: Parts, set_up: SetUp) -> None:
    """Two fills at two prices, told in pieces and out of step: both count, once, and the mean is weighted."""
    run = new_run()
    first, second = fill(run, "01.01", 4, "10.10"), fill(run, "02.01", 6, "10.20")
    states = [
        OrderState(status=S.PARTIAL, fills=(first,)),
        OrderState(status=S.FILLED, fills=(first, second)),
        OrderState(status=S.PARTIAL, fills=(second,)),
    ]
    order = record(set_up(), run, states)
    assert (order.status, order.filled, order.avg_price) == (S.FILLED, Decimal(10), Decimal("10.16"))
    assert [trade["shares"] for trade in trades(parts, run)] == [4, 6]


def test_doubt_keeps_what_is_known(parts: Parts, set_up: SetUp) -> None:
    """An order that becomes unknown keeps the fills that were told."""
    run = new_run()
    states = [OrderState(status=S.PARTIAL, perm_id=7, fills=(fill(run, "01.01"),)), OrderState(status=S.UNKNOWN)]
    order = record(set_up(), run, states)
    assert (order.status, order.filled, order.avg_price, order.perm_id) == (S.UNKNOWN, Decimal(5), Decimal(10), 7)


def test_commission_told_late_is_added_and_not_lost(parts: Parts, set_up: SetUp) -> None:
    """An execution is told before its cost, then with it, then without it again."""
    run = new_run()
    states = [
        OrderState(status=S.PARTIAL, fills=(fill(run, "01.01", commission=commission),))
        for commission in (None, "1.00", None)
    ]
    record(set_up(), run, states)
    assert [trade["commission"] for trade in trades(parts, run)] == [Decimal("1.00")]


def test_corrected_execution_takes_the_place_of_the_first_one(parts: Parts, set_up: SetUp) -> None:
    """A correction has the same id but for its last part: the order counts the shares once, at the price that holds."""
    run = new_run()
    wrong, right = fill(run, "01.01", price="10"), fill(run, "01.02", price="11")
    assert as_corrected([right, wrong]) == as_corrected([wrong, right]) == (right,)
    states = [OrderState(status=S.PARTIAL, fills=(one,)) for one in (wrong, right)]
    order = record(set_up(), run, states)
    assert (order.filled, order.avg_price) == (Decimal(5), Decimal(11))
    assert [trade["exec_id"] for trade in trades(parts, run)] == [right.exec_id]


def test_sending_is_claimed_by_one_and_not_after_the_end(parts: Parts, set_up: SetUp) -> None:
    """Of two that have read the same record one may send; of an order that has ended none may."""
    run = new_run()

    async def work() -> list[bool]:
        async with RunDatabase(set_up(), budget_s=10) as database:
            order, _ = await record_intent(
                database, execution_id=run, symbol="AAPL", action="BUY", quantity=Decimal(10)
            )
            first = await claim_sending(database, order, client_id=10, token=uuid.uuid4())
            second = await claim_sending(database, order, client_id=11, token=uuid.uuid4())
            assert first is not None
            await record_state(database, order, OrderState(status=S.FILLED))
            late = await claim_sending(database, first, client_id=10, token=uuid.uuid4())
            return [claim is not None for claim in (first, second, late)]

    assert asyncio.run(work()) == [True, False, False]
