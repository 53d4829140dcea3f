"""Orders while the gateway has lost its own connection, or loses them on their way: who knows what afterwards."""

from __future__ import annotations

from typing import Any

from tests.ibkr_gateway.faults.desk import Desk, aapl, buy
from tests.ibkr_gateway.stub import ib_insync, notice_loss, wait_until


def test_order_fills_under_1100_and_its_commission_comes_later(desk: Desk) -> None:
    """The execution arrives between 1100 and 1102, its commission report a while behind it."""
    client = desk.watched()
    fault = desk.order("fills-under-1100", commission_after_s=0.3)
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled")
    assert (desk.codes, desk.hits(fault)) == ([1100], 1)
    assert "commissionReport" not in sent(desk)
    desk.let(client, lambda: trade.fills[0].commissionReport.execId, "the commission")
    desk.lift(fault)
    desk.let(client, lambda: desk.codes[-1] == 1102, "1102")


def test_commission_under_1100_is_an_orphan_where_nothing_else_is_told(desk: Desk) -> None:
    """No execution and no final state are told; the broker filled, and who asks is told."""
    client = desk.watched()
    fault = desk.order("fills-under-1100", told=False, commission_after_s=0)
    trade = client.placeOrder(aapl(), buy(orderRef="unheard"))
    wait_until(lambda: "commissionReport" in sent(desk), "the orphan", evidence=desk.stub.entries)
    client.reqCurrentTime()
    assert "execDetails" not in sent(desk)
    assert (trade.orderStatus.status, trade.fills, desk.hits(fault)) == ("Submitted", [], 1)
    assert [fill.execution.orderRef for fill in client.reqExecutions()] == ["unheard"]


def test_ib_cancels_an_order_under_1100(desk: Desk) -> None:
    """It is acknowledged, and cancelled with IB's own reason."""
    client = desk.watched()
    fault = desk.order("fills-under-1100", ends="cancelled")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, trade.isDone, "cancelled")
    assert (202, "Order Canceled - reason:At the open order can not be executed") in [told[1:] for told in desk.told]
    assert ([order["status"] for order in desk.stub.orders()], desk.stub.entries("fill")) == (["Cancelled"], [])
    assert desk.hits(fault) == 1


def test_change_during_an_outage_doubles_the_order(desk: Desk) -> None:
    """Two orders of one reference live with two permanent ids; a cancel reaches the later one only."""
    client = desk.watched()
    trade = client.placeOrder(aapl(), ib_insync().LimitOrder("BUY", 10, 100, orderRef="twin"))
    desk.let(client, lambda: trade.orderStatus.status == "Submitted", "resting")
    fault = desk.order("order-doubled")
    trade.order.lmtPrice = 101
    client.placeOrder(aapl(), trade.order)
    wait_until(lambda: len(desk.stub.orders()) == 2, "the second order", evidence=desk.stub.orders)
    desk.lift(fault)
    desk.let(client, lambda: desk.codes[-1] == 1102, "1102")
    first, second = desk.stub.orders()
    assert (first["order_ref"], second["order_ref"]) == ("twin", "twin")
    assert first["perm_id"] != second["perm_id"]
    client.cancelOrder(trade.order)
    wait_until(
        lambda: [order["status"] for order in desk.stub.orders()] == ["Submitted", "Cancelled"],
        "one of the two is cancelled",
        evidence=desk.stub.orders,
    )


def test_ids_of_lost_orders_are_given_out_again(desk: Desk) -> None:
    """Two orders are swallowed with the restart; who comes back gets the first of their ids as the next valid one."""
    client = desk.watched(3)
    done = client.placeOrder(aapl(), buy(1, orderRef="before"))
    desk.let(client, done.isDone, "filled")
    fault = desk.order("order-ids-rolled-back", lost=2, refuse_s=0.3)
    lost = [client.placeOrder(aapl(), buy(1, orderRef=reference)) for reference in ("lost-1", "lost-2")]
    notice_loss(client, desk.loop)
    assert desk.attempt(3) == "ConnectionRefusedError"
    wait_until(lambda: desk.attempt(3) == "connected", "the port is open again")
    again = desk.connect(3)
    told = [entry["fields"][-1] for entry in desk.stub.entries("message_out") if entry["name"] == "nextValidId"]
    assert told[-1] == str(lost[0].order.orderId)
    trade = again.placeOrder(aapl(), buy(1, orderRef="reused", orderId=lost[0].order.orderId))
    desk.let(again, trade.isDone, "filled")
    assert [order["order_ref"] for order in desk.stub.orders()] == ["before", "reused"]
    # Two orders lost, one restart, one id used again.
    assert desk.hits(fault) == 4


def sent(desk: Desk) -> list[Any]:
    """Return the names of everything that left so far."""
    return [entry["name"] for entry in desk.stub.entries("message_out")]
