"""Errors about orders, on demand: what the client is told, and what the broker did with the order."""

from __future__ import annotations

import pytest

from fixtures.ibkr_gateway.faults.order_error import KNOWN, Fate
from tests.ibkr_gateway.faults.desk import Desk, aapl, buy
from tests.ibkr_gateway.stub import ib_insync, wait_until


def test_every_known_error_has_a_text_and_a_source() -> None:
    """Nothing is claimed of the real gateway without saying where it was seen."""
    assert all(error.text and error.source for error in KNOWN.values())
    assert {error.fate for error in KNOWN.values()} == set(Fate)


@pytest.mark.parametrize("code", [103, 110, 321])
def test_order_is_refused_with_the_code_of_the_real_gateway(desk: Desk, code: int) -> None:
    """The text comes from the table, and the broker never has the order."""
    client = desk.watched()
    fault = desk.order("order-error", code=code)
    client.placeOrder(aapl(), buy())
    desk.let(client, lambda: code in desk.codes, "the error")
    assert desk.told[-1][2] == KNOWN[code].text
    assert (desk.stub.orders(), desk.hits(fault)) == ([], 1)
    desk.lift(fault)
    again = client.placeOrder(aapl(), buy())
    desk.let(client, again.isDone, "filled")


def test_error_is_told_about_an_order_that_lives(desk: Desk) -> None:
    """10349 comes behind the acknowledgement; ib_insync takes the order for cancelled, and the broker fills it."""
    client = desk.watched()
    desk.stub.fill_after(0.3)
    fault = desk.order("order-error", code=10349)
    trade = client.placeOrder(aapl(), buy(7, orderRef="alive"))
    desk.let(client, lambda: 10349 in desk.codes, "10349")
    assert trade.orderStatus.status == "Cancelled"
    wait_until(lambda: desk.stub.entries("fill"), "the fill", evidence=desk.stub.orders)
    assert [(order["order_ref"], order["status"], order["filled"]) for order in desk.stub.orders()] == [
        ("alive", "Filled", "7")
    ]
    told = [entry["name"] for entry in desk.stub.entries("message_out")]
    assert told.index("orderStatus") < len(told) - told[::-1].index("error") - 1
    assert desk.hits(fault) == 1


def test_order_is_held_while_shares_are_located(desk: Desk) -> None:
    """404: the order rests as PreSubmitted, and is filled once the fault is lifted."""
    client = desk.watched()
    fault = desk.order("order-error", code=404)
    client.placeOrder(aapl(), ib_insync().MarketOrder("SELL", 5))
    desk.let(client, lambda: 404 in desk.codes, "404")
    assert ([order["status"] for order in desk.stub.orders()], desk.stub.entries("fill")) == (["PreSubmitted"], [])
    desk.lift(fault)
    wait_until(lambda: desk.stub.entries("fill"), "the fill", evidence=desk.stub.orders)


def test_any_code_text_and_fate_may_be_ordered(desk: Desk) -> None:
    """A code that is in no table is told as it was ordered, and the order ends as it was ordered."""
    client = desk.watched()
    desk.order("order-error", code=9999, text="Strange", order="inactive")
    client.placeOrder(aapl(), buy())
    desk.let(client, lambda: 9999 in desk.codes, "9999")
    assert desk.told[-1][2] == "Strange"
    assert [order["status"] for order in desk.stub.orders()] == ["Inactive"]


def test_refused_change_leaves_the_order_as_it_was(desk: Desk) -> None:
    """110 on a change refuses the change alone: the order rests on under its old price."""
    client = desk.watched()
    trade = client.placeOrder(aapl(), ib_insync().LimitOrder("BUY", 10, 100))
    desk.let(client, lambda: trade.orderStatus.status == "Submitted", "resting")
    desk.order("order-error", code=110)
    trade.order.lmtPrice = 500.001
    client.placeOrder(aapl(), trade.order)
    desk.let(client, lambda: 110 in desk.codes, "110")
    assert desk.stub.entries("order_modified") == []
    assert [order["status"] for order in desk.stub.orders()] == ["Submitted"]


def test_order_is_held_without_a_word(desk: Desk) -> None:
    """PreSubmitted and no error; lifted, it fills."""
    client = desk.watched()
    fault = desk.order("order-held")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: trade.orderStatus.status == "PreSubmitted", "held")
    client.reqCurrentTime()
    assert (desk.told, desk.stub.entries("fill"), desk.hits(fault)) == ([], [], 1)
    desk.lift(fault)
    desk.let(client, lambda: trade.orderStatus.status == "Filled", "filled")


def test_execution_is_told_before_any_state(desk: Desk) -> None:
    """The client hears of the execution first, and of the acknowledgement after it."""
    client = desk.watched()
    fault = desk.order("execution-first")
    trade = client.placeOrder(aapl(), buy())
    desk.let(client, lambda: desk.hits(fault) and trade.isDone(), "filled")
    names = [entry["name"] for entry in desk.stub.entries("message_out")]
    told = [name for name in names if name in {"openOrder", "orderStatus", "execDetails"}]
    assert (told[0], told.count("orderStatus")) == ("execDetails", 3)
    assert [fill.execution.shares for fill in trade.fills] == [10]


def test_state_of_an_order_without_execution_comes_with_its_end(desk: Desk) -> None:
    """An order that is cancelled unfilled is told of all the same, and nothing is kept back for ever."""
    client = desk.watched()
    desk.order("execution-first")
    trade = client.placeOrder(aapl(), ib_insync().LimitOrder("BUY", 10, 100))
    client.cancelOrder(trade.order)
    desk.let(client, lambda: trade.orderStatus.status == "Cancelled" and 202 in desk.codes, "cancelled")
    told = [entry["fields"][2] for entry in desk.stub.entries("message_out") if entry["name"] == "orderStatus"]
    assert told == ["PreSubmitted", "Submitted", "Cancelled"]
