"""Brackets and groups as clients send them: no leg is ever left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ibkr_gateway.orders.desk import Desk, aapl
from tests.ibkr_gateway.stub import CLOCK, end, notice_loss, start, wait_until


def test_bracket_of_the_library_is_filled_and_protected(desk: Desk) -> None:
    """ib_insync's own helper: the entry fills, then its target works and its stop waits for its trigger."""
    trades = [desk.client.placeOrder(aapl(), order) for order in desk.client.bracketOrder("BUY", 10, 500, 600, 400)]
    desk.let(trades[0].isDone, "the entry filled")
    desk.let(lambda: trades[1].orderStatus.status == "Submitted", "the target at work")
    stop = trades[2].orderStatus
    assert (stop.status, stop.whyHeld, stop.parentId) == ("PreSubmitted", "child,trigger", trades[0].order.orderId)
    parent, *exits = desk.stub.orders()
    assert [(each["parent_perm_id"], each["oca_group"]) for each in exits] == [
        (parent["perm_id"], str(parent["perm_id"]))
    ] * 2
    assert desk.answered() == []


def test_untransmitted_order_is_in_no_listing_and_can_be_cancelled(desk: Desk) -> None:
    """The client hears nothing of it until then."""
    order_id = desk.place(desk.order(orderRef="held", transmit=False))
    assert (desk.client.reqAllOpenOrders(), desk.client.reqOpenOrders(), desk.answered()) == ([], [], [])
    assert desk.statuses() == {"held": "ApiPending"}
    desk.client.client.cancelOrder(order_id)
    assert desk.codes() == [202]
    assert desk.statuses() == {"held": "Cancelled"}


def test_untransmitted_order_is_worked_when_it_is_sent_again_to_be_transmitted(desk: Desk) -> None:
    """It is one order."""
    order = desk.order(orderRef="held", transmit=False)
    desk.place(order)
    order.transmit = True
    desk.place(order)
    desk.expect_statuses({"held": "Filled"})


@pytest.mark.parametrize("refused", [0, 1, 2], ids=["parent", "target", "stop"])
def test_refused_order_takes_its_bracket_with_it(desk: Desk, refused: int) -> None:
    """Whichever of the three is refused, nothing of it rests and nothing fills."""
    orders = desk.bracket({"order_type": "LMT", "lmtPrice": 500})
    orders[refused].hidden = True
    for order in orders:
        desk.place(order)
    codes = desk.codes()
    assert 152 in codes
    assert set(desk.statuses().values()) <= {"Cancelled"}
    assert (desk.client.reqAllOpenOrders(), desk.stub.entries("fill")) == ([], [])
    # What comes after the refused one finds no parent.
    assert codes.count(135) == 2 - refused


def test_child_of_an_unknown_parent_is_refused(desk: Desk) -> None:
    """135 names the parent; the child never rests alone."""
    order_id = desk.place(desk.order("STP", "SELL", auxPrice=400, parentId=777))
    assert desk.answered() == [(order_id, 135, "Can't find order with id = 777")]
    assert desk.stub.orders() == []


def test_refused_child_leaves_a_position_its_protection(desk: Desk) -> None:
    """Once the parent has filled, a wrong order costs itself alone."""
    orders = desk.bracket({})
    for order in orders:
        desk.place(order)
    desk.expect_statuses({"parent": "Filled", "target": "Submitted", "stop": "PreSubmitted"})
    desk.place(desk.order("LMT", "SELL", lmtPrice=510, parentId=orders[0].orderId, hidden=True))
    assert desk.codes() == [152]
    assert desk.statuses() == {"parent": "Filled", "target": "Submitted", "stop": "PreSubmitted"}


def test_cancelling_the_parent_cancels_the_bracket(desk: Desk) -> None:
    """Each of the three is told so with 202."""
    orders = desk.bracket({"order_type": "LMT", "lmtPrice": 10})
    ids = [desk.place(order) for order in orders]
    desk.expect_statuses({"parent": "Submitted", "target": "PreSubmitted", "stop": "PreSubmitted"})
    desk.client.client.cancelOrder(ids[0])
    assert [(answer[0], answer[1]) for answer in desk.answered()] == [(order_id, 202) for order_id in ids]
    assert set(desk.statuses().values()) == {"Cancelled"}


def test_global_cancel_of_a_bracket_cancels_each_once(desk: Desk) -> None:
    """The children are gone with their parent before their own turn comes."""
    for order in desk.bracket({"order_type": "LMT", "lmtPrice": 10}):
        desk.place(order)
    desk.expect_statuses({"parent": "Submitted", "target": "PreSubmitted", "stop": "PreSubmitted"})
    desk.client.reqGlobalCancel()
    assert desk.codes() == [202] * 3


def test_stop_of_a_bracket_is_moved_with_and_without_its_parents_id(desk: Desk) -> None:
    """Clients that leave the parent out of a change, and those that do not, both move it."""
    orders = desk.bracket({})
    for order in orders:
        desk.place(order)
    desk.expect_statuses({"parent": "Filled", "target": "Submitted", "stop": "PreSubmitted"})
    for parent_id, price in ((orders[0].orderId, 410), (0, 420)):
        orders[2].update(parentId=parent_id, auxPrice=price)
        desk.place(orders[2])
    assert desk.answered() == []
    assert [entry["stop_price"] for entry in desk.stub.entries("order_modified")] == ["410", "420"]
    assert {entry["parent_id"] for entry in desk.stub.entries("order_modified")} == {orders[0].orderId}


def test_bracket_whose_parent_has_no_money_is_gone(desk: Desk) -> None:
    """IB's servers reject the entry when the bracket is transmitted; its exits do not stay."""
    for order in desk.bracket({"shares": 10_000}):
        desk.place(order)
    assert desk.codes()[0] == 201
    assert set(desk.statuses().values()) <= {"Inactive", "Cancelled"}


def test_group_that_has_filled_takes_no_more(desk: Desk) -> None:
    """The second order comes after the first one's fill: it is rejected, and does not rest."""
    desk.place(desk.order(orderRef="first", ocaGroup="g", ocaType=1))
    desk.expect_statuses({"first": "Filled"})
    desk.place(desk.order(orderRef="second", ocaGroup="g", ocaType=1))
    assert [answer[1:] for answer in desk.answered()] == [(201, "Order rejected - reason:OCA group is already filled.")]
    assert desk.statuses() == {"first": "Filled", "second": "Inactive"}


def test_group_has_one_type(desk: Desk) -> None:
    """An order that names another one than the group has is refused."""
    desk.place(desk.order("LMT", lmtPrice=10, orderRef="first", ocaGroup="g", ocaType=1))
    desk.place(desk.order("LMT", lmtPrice=10, orderRef="second", ocaGroup="g", ocaType=2))
    assert desk.codes() == [10327]
    assert desk.statuses() == {"first": "Submitted"}


def test_open_orders_are_told_on_connect_before_the_next_order_id(desk: Desk, connect: Any) -> None:
    """Unasked, to the client whose they are, and to no other."""
    perm_ids = []
    for order in desk.bracket({"order_type": "LMT", "lmtPrice": 10}):
        desk.place(order)
    desk.place(desk.order(orderRef="held", transmit=False))
    desk.let(lambda: len(desk.statuses()) == 4, "all there")
    perm_ids = [order["perm_id"] for order in desk.stub.orders()[:3]]
    desk.client.disconnect()
    wait_until(lambda: desk.stub.entries("connection_closed"), "the end of the first connection")
    for client_id in (1, 2):
        connect(client_id)
    connections = {entry["client_id"]: entry["connection"] for entry in desk.stub.entries("message_in")}
    for client_id, expected in ((1, perm_ids), (2, [])):
        sent = [entry for entry in desk.stub.entries("message_out") if entry["connection"] == connections[client_id]]
        names = [entry["name"] for entry in sent]
        early = sent[names.index("managedAccounts") : names.index("nextValidId")]
        assert [entry["name"] for entry in early[1:]] == ["openOrder", "orderStatus"] * len(expected)
        assert [int(entry["fields"][6]) for entry in early[1:] if entry["name"] == "orderStatus"] == expected


def test_killed_gateway_comes_back_with_families_and_trailing_stops(connect: Any, loop: Any, new_ledger: Any) -> None:
    """What was held is held, what waited waits, a stop stands where it had come to; and a fill still cancels."""
    first = start(new_ledger, "--clock", CLOCK)
    desk = Desk(first, connect(3, first.port))
    for order in desk.bracket({"order_type": "LMT", "lmtPrice": 10}):
        desk.place(order)
    desk.place(desk.order("TRAIL", "SELL", auxPrice=5, orderRef="trail", ocaGroup="g", ocaType=1))
    desk.place(desk.order("LMT", "SELL", lmtPrice=900, orderRef="peer", ocaGroup="g", ocaType=1))
    held = desk.order(orderRef="held", transmit=False)
    desk.place(held)
    desk.let(lambda: len(desk.statuses()) == 6, "all there")
    before = first.orders()
    assert [entry["trailed_stop"] for entry in first.entries("stop_trailed")] == ["425.47"]
    first.process.kill()
    first.process.wait()
    end(first)
    notice_loss(desk.client, loop)

    second = start(new_ledger, "--clock", CLOCK)
    try:
        assert second.orders() == before
        again = Desk(second, connect(3, second.port))
        (trail,) = [each.order for each in again.client.reqOpenOrders() if each.order.orderType == "TRAIL"]
        assert (trail.trailStopPrice, trail.auxPrice, trail.ocaGroup) == (425.47, 5, "g")
        parent = next(order for order in again.client.openTrades() if order.order.orderRef == "parent")
        again.client.client.cancelOrder(parent.order.orderId)
        again.let(lambda: {again.statuses()[ref] for ref in ("parent", "target", "stop")} == {"Cancelled"}, "gone")
        held.transmit = True
        again.place(held)
        again.let(lambda: again.statuses()["held"] == "Filled", "the held one worked")
        peer = next(order for order in again.client.openTrades() if order.order.orderRef == "peer")
        peer.order.lmtPrice = 400
        again.client.client.placeOrder(peer.order.orderId, peer.contract, peer.order)
        again.let(lambda: again.statuses()["peer"] == "Filled", "one of the group filled")
        assert again.statuses()["trail"] == "Cancelled"
        again.client.disconnect()
    finally:
        end(second)


def test_ledger_tells_the_whole_of_an_order(desk: Desk) -> None:
    """Its parent, its group, its time in force and its prices, as they were sent."""
    parent = desk.order("LMT", lmtPrice=10, orderRef="parent", tif="GTC")
    desk.place(parent)
    desk.place(
        desk.order(
            *("TRAIL", "SELL"),
            trailingPercent=1.5,
            trailStopPrice=400,
            orderRef="child",
            parentId=parent.orderId,
            ocaGroup="g",
            ocaType=1,
            tif="GTC",
        )
    )
    desk.let(lambda: len(desk.statuses()) == 2, "both there")
    told = desk.stub.entries("order_received")
    assert (
        told[1]
        | {
            "parent_id": parent.orderId,
            "parent_perm_id": told[0]["perm_id"],
            "oca_group": "g",
            "oca_type": 1,
            "time_in_force": "GTC",
            "order_type": "TRAIL",
            "trail_percent": "1.5",
            "trail_stop_price": "400",
            "trail_amount": None,
            "transmit": True,
        }
        == told[1]
    )
