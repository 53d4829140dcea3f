"""Orders that fill in pieces: what the client, the ledger and the account see of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.broker.account import commission
from fixtures.ibkr_gateway.broker.order import Action, Status
from tests.ibkr_gateway.recorded_broker import RecordedBroker
from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until

Connect = Callable[..., Any]
PRICE = 430.48


def fill_in(stub: Stub, pieces: int, delay_s: float = 0.02) -> None:
    """Set in how many pieces orders fill, and how long each takes."""
    body = {"fill_pieces": pieces, "fill_delay_s": delay_s}
    stub.control.patch("/behaviour", json=body).raise_for_status()


def buy(client: Any, shares: float, price: float | None = None) -> Any:
    """Place an order for AAPL, which is offered at PRICE."""
    insync = ib_insync()
    order = insync.MarketOrder("BUY", shares) if price is None else insync.LimitOrder("BUY", shares, price)
    order.orderRef = "ref"
    return client.placeOrder(insync.Stock("AAPL", "SMART", "USD"), order)


def charged(trade: Any) -> bool:
    """Say whether the order is done, and the cost of each of its fills known."""
    return trade.isDone() and all(fill.commissionReport.execId for fill in trade.fills)


@pytest.mark.parametrize(
    ("shares", "pieces", "sizes"),
    [(10, 3, [3, 3, 4]), (2, 3, [1, 1]), (1, 100, [1]), (9, 3, [3, 3, 3])],
)
def test_order_fills_in_nearly_equal_pieces(
    connect: Connect, stub: Stub, shares: float, pieces: int, sizes: list[float]
) -> None:
    """Each piece is an execution with a commission report of its own; none is empty."""
    fill_in(stub, pieces)
    client = connect()
    trade = buy(client, shares)
    receive_until(client, lambda: charged(trade), "filled")
    executions = [fill.execution for fill in trade.fills]
    assert [execution.shares for execution in executions] == sizes
    assert [execution.cumQty for execution in executions] == [sum(sizes[: n + 1]) for n in range(len(sizes))]
    perm_id = trade.order.permId
    assert [e.execId for e in executions] == [f"0000e0d5.{perm_id:08x}.{n + 1:02d}.01" for n in range(len(sizes))]
    assert {execution.avgPrice for execution in executions} == {PRICE}
    assert (trade.orderStatus.filled, trade.orderStatus.remaining, trade.orderStatus.avgFillPrice) == (shares, 0, PRICE)


def test_statuses_tell_how_far_an_order_is(connect: Connect, stub: Stub) -> None:
    """It stays Submitted while filled grows and remaining falls, and is Filled with the last piece."""
    fill_in(stub, 3)
    client = connect()
    trade = buy(client, 10)
    receive_until(client, trade.isDone, "filled")
    told = [(entry["status"], entry["filled"], entry["remaining"]) for entry in stub.entries("order_status")]
    assert told == [
        ("PreSubmitted", "0", "10"),
        ("Submitted", "0", "10"),
        ("Submitted", "3", "7"),
        ("Submitted", "6", "4"),
        ("Filled", "10", "0"),
    ]
    sent = [e["name"] for e in stub.entries("message_out") if e["name"] in {"execDetails", "commissionReport"}]
    assert sent == ["execDetails", "commissionReport"] * 3


def test_least_commission_is_charged_once(connect: Connect, stub: Stub) -> None:
    """The first piece costs the dollar of the order, the others nothing until their shares cost more than it."""
    fill_in(stub, 4)
    client = connect()
    small, large = buy(client, 12), buy(client, 800)
    receive_until(client, lambda: charged(small) and charged(large), "filled")
    assert [fill.commissionReport.commission for fill in small.fills] == [1, 0, 0, 0]
    assert [fill.commissionReport.commission for fill in large.fills] == [1, 1, 1, 1]


def test_each_piece_takes_the_delay(connect: Connect, stub: Stub) -> None:
    """From the acknowledgement to the first piece, and from each to the next."""
    fill_in(stub, 3, 0.2)
    client = connect()
    receive_until(client, buy(client, 3).isDone, "filled")
    submitted = next(entry for entry in stub.entries("order_status") if entry["status"] == "Submitted")
    times = [entry["mono_s"] for entry in (submitted, *stub.entries("fill"))]
    assert all(0.19 <= after - before < 2 for before, after in pairwise(times))


def test_order_cancelled_between_pieces_keeps_what_is_filled(connect: Connect, stub: Stub) -> None:
    """It is Cancelled with the filled part, the completed order tells its size, and the position stays."""
    fill_in(stub, 5, 0.3)
    client = connect()
    trade = buy(client, 10)
    receive_until(client, lambda: trade.orderStatus.filled == 2, "first piece")
    client.cancelOrder(trade.order)
    receive_until(client, lambda: trade.orderStatus.status == "Cancelled", "cancelled")
    assert (trade.orderStatus.filled, trade.orderStatus.remaining) == (2, 8)
    (done,) = client.reqCompletedOrders(apiOnly=False)
    assert (done.orderStatus.status, done.order.filledQuantity) == ("Cancelled", 2)
    (told,) = [entry for entry in stub.entries("message_out") if entry["name"] == "completedOrder"]
    assert "Filled Size: 2" in told["fields"]
    assert [position.position for position in client.reqPositions()] == [2]
    (kept,) = stub.orders()
    assert (kept["status"], kept["quantity"], kept["filled"]) == ("Cancelled", "10", "2")


@pytest.mark.parametrize(("wanted", "sizes"), [(20, [2, 4, 4, 5, 5]), (6, [2, 1, 1, 1, 1]), (2, [2])])
def test_order_modified_between_pieces_fills_to_its_new_size(
    connect: Connect, stub: Stub, wanted: int, sizes: list[int]
) -> None:
    """What is filled counts; an order that is reduced to it is filled."""
    fill_in(stub, 5, 0.3)
    client = connect()
    trade = buy(client, 10)
    receive_until(client, lambda: trade.orderStatus.filled == 2, "first piece")
    fill_in(stub, 1)
    trade.order.totalQuantity = wanted
    client.placeOrder(trade.contract, trade.order)
    receive_until(client, trade.isDone, "filled")
    assert (trade.orderStatus.filled, trade.orderStatus.remaining) == (wanted, 0)
    assert [int(entry["shares"]) for entry in stub.entries("fill")] == sizes


@pytest.mark.parametrize(
    ("symbol", "action", "shares", "code"),
    [("AAPL", "BUY", 1, 104), ("IBM", "BUY", 10, 105), ("AAPL", "SELL", 10, 105)],
)
def test_impossible_change_between_pieces_is_refused(
    connect: Connect, stub: Stub, symbol: str, action: str, shares: int, code: int
) -> None:
    """A size below what is filled, another stock or another side: the client is told, and the order goes on."""
    fill_in(stub, 5, 0.3)
    client, codes = connect(), []
    client.errorEvent += lambda _id, came, *_: codes.append(came)
    trade = buy(client, 10)
    receive_until(client, lambda: trade.orderStatus.filled == 2, "first piece")
    fill_in(stub, 1)
    changed = ib_insync().MarketOrder(action, shares, orderId=trade.order.orderId)
    client.client.placeOrder(changed.orderId, ib_insync().Stock(symbol, "SMART", "USD"), changed)
    receive_until(client, lambda: stub.orders()[0]["status"] == "Filled", "filled", evidence=stub.orders)
    assert codes == [code]
    assert [(order["symbol"], order["action"], order["filled"]) for order in stub.orders()] == [("AAPL", "BUY", "10")]


def traded(symbol: str, trades: list[tuple[Action, Decimal]], pieces: int) -> RecordedBroker:
    """Let a broker fill market orders, one after the other."""
    recorded = RecordedBroker(symbol, pieces)
    with contextlib.closing(recorded):
        for action, quantity in trades:
            recorded.place(action, quantity)
            recorded.wait_until_done()
    return recorded


_QUANTITIES = st.integers(1, 400).map(Decimal) | st.decimals("0.01", "50", places=2)
_SYMBOLS = st.sampled_from(["ZQX", "PEN", "ABC"])


@given(symbol=_SYMBOLS, quantity=_QUANTITIES, pieces=st.integers(1, 100))
@settings(max_examples=80, deadline=None)
def test_pieces_add_up_to_the_order(symbol: str, quantity: Decimal, pieces: int) -> None:
    """Every piece has shares, the cumulative size rises to the quantity, and the commissions are that of the whole."""
    recorded = traded(symbol, [(Action.BUY, quantity)], pieces)
    executions = recorded.executions
    sizes = [execution.shares for execution in executions]
    assert sum(sizes) == quantity
    assert min(sizes) > 0
    assert len(sizes) == min(pieces, ceil(quantity))
    assert max(sizes[:-1], default=sizes[0]) - min(sizes[:-1], default=sizes[0]) <= 1
    assert [e.cumulative for e in executions] == [sum(sizes[: n + 1]) for n in range(len(sizes))]
    assert len({execution.exec_id for execution in executions}) == len(executions)
    assert min(execution.commission for execution in executions) >= 0
    assert sum(e.commission for e in executions) == commission(quantity, executions[0].price)
    assert recorded.statuses[-1] is Status.FILLED
    assert set(recorded.statuses[1:-1]) == {Status.SUBMITTED}
    (order,) = recorded.broker.book.orders()
    assert (order.filled, order.remaining, order.average_price) == (quantity, Decimal(0), executions[0].price)


@given(
    symbol=_SYMBOLS,
    trades=st.lists(st.tuples(st.sampled_from(Action), _QUANTITIES), min_size=1, max_size=4),
    pieces=st.integers(2, 100),
)
@settings(max_examples=40, deadline=None)
def test_account_is_the_same_however_orders_are_cut(
    symbol: str, trades: list[tuple[Action, Decimal]], pieces: int
) -> None:
    """At the same price cash and position are the same, filled at once or in pieces."""
    whole, cut = (traded(symbol, trades, count).broker.account for count in (1, pieces))
    assert cut.cash == whole.cash
    assert [held.quantity for held in cut.positions.values()] == [held.quantity for held in whole.positions.values()]
