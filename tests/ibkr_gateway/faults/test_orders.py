"""Orders under faults: what the client is told, and what the ledger says that really happened."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ibkr_gateway.faults.desk import Desk, aapl, buy
from tests.ibkr_gateway.stub import ib_insync


def statuses(trade: Any) -> list[str]:
    """Return each status that a trade went through, in the order in which its client learned of it."""
    return [entry.status for entry in trade.log if not entry.errorCode]


def test_rejected_order_ends_inactive(desk: Desk) -> None:
    """201 with its reason; the broker has it as refused, and nothing is filled."""
    client = desk.watched()
    fault = desk.order("order-rejected", reason="NO MONEY")
    trade = client.placeOrder(aapl(), buy(orderRef="r"))
    desk.let(client, lambda: 201 in desk.codes, "201")
    assert desk.told[-1][2] == "Order rejected - reason:NO MONEY"
    assert [(order["order_ref"], order["status"]) for order in desk.stub.orders()] == [("r", "Inactive")]
    assert client.reqOpenOrders() == []
    assert (trade.fills, desk.stub.entries("fill"), desk.hits(fault)) == ([], [], 1)
    desk.lift(fault)
    again = client.placeOrder(aapl(), buy())
    desk.let(client, again.isDone, "filled")


def test_order_is_cancelled_by_the_exchange(desk: Desk) -> None:
    """It is acknowledged first; then 202 with the reason, and nothing is filled."""
    client = desk.watched()
    fault = desk.order("order-cancelled", reason="Halted", after_s=0.1)
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, trade.isDone, "cancelled")
    assert statuses(trade) == ["PendingSubmit", "Submitted", "Cancelled"]
    assert (202, "Order Canceled - reason:Halted") in [told[1:] for told in desk.told]
    assert ([order["status"] for order in desk.stub.orders()], desk.stub.entries("fill")) == (["Cancelled"], [])
    assert desk.hits(fault) == 1


def test_order_waits_for_the_market_to_open(desk: Desk) -> None:
    """399 names the next opening; the order is held, and fills once the market is open."""
    client = desk.watched()
    fault = desk.order("market-closed")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: 399 in desk.codes, "399")
    assert "until 2026-11-23 09:30:00 US/Eastern" in desk.told[-1][2]
    assert (trade.orderStatus.status, desk.hits(fault)) == ("PreSubmitted", 1)
    assert [order.order.permId for order in client.reqOpenOrders()] == [trade.order.permId]
    desk.lift(fault)
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled")


def test_held_order_can_be_cancelled(desk: Desk) -> None:
    """A cancel reaches it, and the opening does not bring it back."""
    client = desk.watched()
    fault = desk.order("market-closed")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: trade.orderStatus.status == "PreSubmitted", "held")
    client.cancelOrder(trade.order)
    desk.let(client, trade.isDone, "cancelled")
    desk.lift(fault)
    client.reqCurrentTime()
    assert ([order["status"] for order in desk.stub.orders()], desk.stub.entries("fill")) == (["Cancelled"], [])


def test_order_is_acknowledged_and_never_filled(desk: Desk) -> None:
    """Submitted, and nothing more, until the fault is lifted."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("never-filled")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: desk.hits(fault) == 1, "a hit")
    assert (trade.orderStatus.status, desk.stub.entries("fill")) == ("Submitted", [])
    desk.lift(fault)
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled")


@pytest.mark.parametrize(("shares", "fraction", "part"), [(10, 0.5, 5), (10, 0.39, 3), (3, 0.1, 1), (10, 0.99, 9)])
def test_order_is_filled_in_part_and_then_not(desk: Desk, shares: int, fraction: float, part: int) -> None:
    """The part is reported with its commission; the rest comes when the fault is lifted."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("partly-filled", fraction=fraction)
    trade = client.placeOrder(aapl(), buy(shares))
    desk.let(client, lambda: trade.orderStatus.filled == part, "part filled")
    assert (trade.orderStatus.status, trade.orderStatus.remaining) == ("Submitted", shares - part)
    assert [fill.execution.shares for fill in trade.fills] == [part]
    client.reqCurrentTime()
    assert (len(desk.stub.entries("fill")), desk.hits(fault)) == (1, 1)
    desk.lift(fault)
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled")
    assert sum(fill.execution.shares for fill in trade.fills) == shares


def test_part_of_an_order_is_filled_piece_by_piece(desk: Desk) -> None:
    """With several executions an order, those up to the part come, and it hits once."""
    client = desk.watched()
    desk.stub.control.patch("/behaviour", json={"fill_delay_s": 0, "fill_pieces": 5}).raise_for_status()
    fault = desk.order("partly-filled", fraction=0.5)
    trade = client.placeOrder(aapl(), buy(10))
    desk.let(client, lambda: trade.orderStatus.filled == 5, "part filled")
    assert [fill.execution.shares for fill in trade.fills] == [2, 2, 1]
    assert desk.hits(fault) == 1


@pytest.mark.parametrize("order", [buy, lambda: ib_insync().LimitOrder("BUY", 10, 100)], ids=["market", "resting"])
def test_fill_is_reported_after_the_cancel(desk: Desk, order: Any) -> None:
    """Cancelled with 202, and then Filled all the same: the account holds the shares."""
    client = desk.watched()
    desk.stub.fill_after(0)
    fault = desk.order("fill-after-cancel", after_s=0.1)
    trade = client.placeOrder(aapl(), order())
    desk.let(client, lambda: trade.orderStatus.status == "Submitted", "acknowledged")
    client.cancelOrder(trade.order)
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled after the cancel")
    assert statuses(trade)[-2:] == ["Cancelled", "Filled"]
    assert 202 in desk.codes
    assert [order["status"] for order in desk.stub.orders()] == ["Filled"]
    desk.let(client, client.positions, "position")
    assert ([held.position for held in client.positions()], desk.hits(fault)) == ([10], 1)


def test_execution_is_reported_twice(desk: Desk) -> None:
    """The client receives the same execution and commission again; the broker filled once."""
    client = desk.watched()
    commissions: list[str] = []
    client.commissionReportEvent += lambda _trade, _fill, report: commissions.append(report.execId)
    fault = desk.order("duplicate-executions")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: len(commissions) == 2, "two commission reports")
    sent = [entry for entry in desk.stub.entries("message_out") if entry["name"] == "execDetails"]
    assert len(sent) == 2
    assert sent[0]["fields"] == sent[1]["fields"]
    assert commissions[0] == commissions[1]
    assert (len(trade.fills), len(desk.stub.entries("fill")), desk.hits(fault)) == (1, 1, 1)


def test_status_arrives_out_of_order(desk: Desk) -> None:
    """Submitted comes after Filled; the ledger has them as they were."""
    client = desk.watched()
    fault = desk.order("out-of-order-status")
    client.placeOrder(aapl(), buy())
    desk.let(client, lambda: desk.hits(fault), "a hit")
    sent = [entry["fields"][2] for entry in desk.stub.entries("message_out") if entry["name"] == "orderStatus"]
    assert sent == ["PreSubmitted", "Filled", "Submitted"]
    assert [entry["status"] for entry in desk.stub.entries("order_status")] == ["PreSubmitted", "Submitted", "Filled"]
    assert desk.hits(fault) == 1
