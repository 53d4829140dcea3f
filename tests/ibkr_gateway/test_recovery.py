"""A gateway that is killed and started again on the same ledger: the broker behind it has forgotten nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ibkr_gateway.stub import CLOCK, Stub, end, ib_insync, notice_loss, receive_until, start, wait_until

Connect = Callable[..., Any]


def placed(client: Any, order: Any, reference: str) -> Any:
    """Place an order under a reference and wait until the gateway has acknowledged it."""
    order.orderRef = reference
    trade = client.placeOrder(ib_insync().Stock("AAPL", "SMART", "USD"), order)
    receive_until(client, lambda: trade.orderStatus.permId, f"{reference} acknowledged")
    return trade


def kill(stub: Stub, client: Any, loop: asyncio.AbstractEventLoop) -> None:
    """End a gateway without a warning, and let its client notice."""
    stub.process.kill()
    stub.process.wait()
    end(stub)
    notice_loss(client, loop)


def fill_in(stub: Stub, pieces: int, delay_s: float) -> None:
    """Set in how many pieces orders fill, and how long each takes."""
    body = {"fill_pieces": pieces, "fill_delay_s": delay_s}
    stub.control.patch("/behaviour", json=body).raise_for_status()


def orders_by_reference(stub: Stub) -> dict[str, str]:
    """Return where each order stands."""
    return {order["order_ref"]: order["status"] for order in stub.orders()}


def test_killed_gateway_comes_back_with_its_orders(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """What was filled, cancelled or resting is so again, and what waited for its fill is filled."""
    first = start(new_ledger, "--clock", CLOCK)
    client = connect(3, first.port)
    done = placed(client, ib_insync().MarketOrder("BUY", 10), "filled")
    receive_until(client, lambda: done.fills, "filled")
    client.cancelOrder(placed(client, ib_insync().LimitOrder("BUY", 1, 10), "cancelled").order)
    resting = placed(client, ib_insync().LimitOrder("BUY", 1, 10), "resting")
    resting.order.lmtPrice = 11
    client.placeOrder(resting.contract, resting.order)
    first.fill_after(30)
    placed(client, ib_insync().MarketOrder("BUY", 5), "waiting")
    wait_until(lambda: orders_by_reference(first).get("waiting") == "Submitted", "all there", evidence=first.orders)
    before = first.entries()
    kill(first, client, loop)

    second = start(new_ledger, "--clock", CLOCK)
    try:
        assert second.entries()[: len(before)] == before
        wait_until(lambda: orders_by_reference(second)["waiting"] == "Filled", "filled", evidence=second.orders)
        assert orders_by_reference(second) == {
            "filled": "Filled",
            "cancelled": "Cancelled",
            "resting": "Submitted",
            "waiting": "Filled",
        }
        again = connect(3, second.port)
        assert [position.position for position in again.positions()] == [15]
        assert [fill.execution.orderRef for fill in again.reqExecutions()] == ["filled", "waiting"]
        assert [trade.order.lmtPrice for trade in again.openTrades()] == [11]
        assert placed(again, ib_insync().MarketOrder("BUY", 1), "new").order.permId > max(
            o["perm_id"] for o in second.orders()[:4]
        )
        second.reset()
        notice_loss(again, loop)
    finally:
        end(second)

    third = start(new_ledger, "--clock", CLOCK)
    try:
        assert third.orders() == []
        assert third.entries() == []
    finally:
        end(third)


def test_half_filled_order_goes_on_with_its_remaining_pieces(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """Pieces, execution ids, commissions and the account are those of a gateway that was never killed."""
    first = start(new_ledger, "--clock", CLOCK)
    fill_in(first, 5, 0.4)
    client = connect(3, first.port)
    kept = placed(client, ib_insync().MarketOrder("BUY", 12), "half")
    wait_until(lambda: len(first.entries("fill")) == 2, "two pieces", evidence=lambda: first.entries("order_status"))
    kill(first, client, loop)

    second = start(new_ledger, "--clock", CLOCK)
    try:
        wait_until(lambda: orders_by_reference(second)["half"] == "Filled", "filled", evidence=second.orders)
        fills = second.entries("fill")
        assert [fill["shares"] for fill in fills] == ["2", "2", "2", "3", "3"]
        assert [fill["cumulative"] for fill in fills] == ["2", "4", "6", "9", "12"]
        perm_id = kept.order.permId
        assert [fill["exec_id"] for fill in fills] == [f"0000e0d5.{perm_id:08x}.{n:02d}.01" for n in range(1, 6)]
        assert [fill["commission"] for fill in fills] == ["1.00", "0.00", "0.00", "0.00", "0.00"]
        again = connect(3, second.port)
        (position,) = again.positions()
        assert (position.position, position.avgCost) == (12, pytest.approx(430.48 + 1 / 12, abs=1e-5))
        (cash,) = [value.value for value in again.accountSummary() if value.tag == "TotalCashValue"]
        assert Decimal(cash) == 1_000_000 - 12 * Decimal("430.48") - 1
        assert [fill.execution.shares for fill in again.reqExecutions()] == [2, 2, 2, 3, 3]
        again.disconnect()
    finally:
        end(second)


def test_order_cancelled_half_filled_stays_so(
    connect: Connect, loop: asyncio.AbstractEventLoop, new_ledger: Path
) -> None:
    """The filled part is kept, and nothing more fills."""
    first = start(new_ledger, "--clock", CLOCK)
    fill_in(first, 5, 0.4)
    client = connect(3, first.port)
    kept = placed(client, ib_insync().MarketOrder("BUY", 10), "half")
    receive_until(client, lambda: kept.fills, "one piece")
    client.cancelOrder(kept.order)
    receive_until(client, kept.isDone, "cancelled")
    before = first.orders()
    kill(first, client, loop)

    second = start(new_ledger, "--clock", CLOCK)
    try:
        assert second.orders() == before
        assert [(order["status"], order["filled"]) for order in before] == [("Cancelled", "2")]
        again = connect(3, second.port)
        filled = placed(again, ib_insync().MarketOrder("BUY", 1), "later")
        receive_until(again, filled.isDone, "filled")
        assert [fill["order_ref"] for fill in second.entries("fill")] == ["half", "later"]
        again.disconnect()
    finally:
        end(second)
