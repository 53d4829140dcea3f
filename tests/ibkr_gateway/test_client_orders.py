"""What ib_insync sees of its orders, from the placing to the commission, and what the account holds after it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.ibkr_gateway.stub import ACCOUNT, Stub, ib_insync, receive_until

Connect = Callable[..., Any]


def aapl() -> Any:
    """Describe the stock that is traded here; it is bid at 430.46 and offered at 430.48."""
    return ib_insync().Stock("AAPL", "SMART", "USD")


def market(action: str, shares: float, **more: Any) -> Any:
    """Make a market order."""
    return ib_insync().MarketOrder(action, shares, **more)


def limit(action: str, shares: float, price: float, **more: Any) -> Any:
    """Make a limit order."""
    return ib_insync().LimitOrder(action, shares, price, **more)


def stop(action: str, shares: float, price: float, **more: Any) -> Any:
    """Make a stop order."""
    return ib_insync().StopOrder(action, shares, price, **more)


def filled(client: Any, order: Any) -> Any:
    """Place an order and wait for its fill and commission."""
    trade = client.placeOrder(aapl(), order)
    receive_until(client, lambda: trade.isDone() and trade.fills and trade.fills[0].commissionReport.execId, "filled")
    return trade


@pytest.mark.parametrize(
    ("order", "price"),
    [
        (lambda: market("BUY", 10, orderRef="r"), 430.48),
        (lambda: market("SELL", 10, orderRef="r"), 430.46),
        (lambda: limit("BUY", 10, 500, orderRef="r"), 430.48),
        (lambda: limit("SELL", 10, 400, orderRef="r"), 430.46),
        (lambda: stop("BUY", 10, 400, orderRef="r"), 430.48),
        (lambda: stop("SELL", 10, 500, orderRef="r"), 430.46),
    ],
    ids=["market-buy", "market-sell", "limit-buy", "limit-sell", "stop-buy", "stop-sell"],
)
def test_marketable_order_fills_at_the_quote(connect: Connect, order: Callable[[], Any], price: float) -> None:
    """PreSubmitted, Submitted, Filled, with an execution and its commission."""
    client = connect(3)
    trade = filled(client, order())
    statuses = [entry.status for entry in trade.log if not entry.message]
    assert statuses == ["PendingSubmit", "PreSubmitted", "Submitted", "Filled"]
    (fill,) = trade.fills
    execution = fill.execution
    assert (execution.shares, execution.price, execution.orderRef) == (10, price, "r")
    assert (execution.acctNumber, execution.clientId) == (ACCOUNT, 3)
    assert execution.permId == trade.order.permId > 0
    assert (fill.commissionReport.commission, fill.commissionReport.currency) == (1.0, "USD")
    assert (trade.orderStatus.filled, trade.orderStatus.remaining, trade.orderStatus.avgFillPrice) == (10, 0, price)


@pytest.mark.parametrize(
    ("order", "status"),
    [
        (lambda: limit("BUY", 5, 100), "Submitted"),
        (lambda: limit("SELL", 5, 900), "Submitted"),
        (lambda: stop("SELL", 5, 100), "PreSubmitted"),
        (lambda: stop("BUY", 5, 900), "PreSubmitted"),
    ],
    ids=["limit-buy", "limit-sell", "stop-sell", "stop-buy"],
)
def test_order_away_from_the_market_rests_and_is_cancelled(
    connect: Connect, stub: Stub, order: Callable[[], Any], status: str
) -> None:
    """It stays open without a fill until its client cancels it, and then it is among the completed ones."""
    stub.fill_after(0)
    client = connect()
    trade = client.placeOrder(aapl(), order())
    receive_until(client, lambda: trade.orderStatus.status == status, "acknowledged")
    assert [resting.order.permId for resting in client.reqOpenOrders()] == [trade.order.permId]
    client.cancelOrder(trade.order)
    receive_until(client, lambda: trade.orderStatus.status == "Cancelled", "cancelled")
    assert client.reqOpenOrders() == []
    assert [done.orderStatus.status for done in client.reqCompletedOrders(apiOnly=False)] == ["Cancelled"]
    assert (trade.fills, stub.entries("fill")) == ([], [])


def test_modified_order_takes_its_new_terms(connect: Connect, stub: Stub) -> None:
    """A resting limit order fills once its price is raised; it is still one order."""
    client = connect()
    order = limit("BUY", 5, 100, orderRef="m")
    trade = client.placeOrder(aapl(), order)
    receive_until(client, lambda: trade.orderStatus.status == "Submitted", "acknowledged")
    order.lmtPrice = 500
    client.placeOrder(aapl(), order)
    receive_until(client, trade.isDone, "filled")
    assert [(kept["order_ref"], kept["status"]) for kept in stub.orders()] == [("m", "Filled")]


def test_cancelling_twice_says_why_not(connect: Connect) -> None:
    """An order that is done, or was never there, cannot be cancelled: 10148 and 10147."""
    client, codes = connect(), []
    trade = filled(client, market("BUY", 1))
    client.errorEvent += lambda _id, code, *_: codes.append(code)
    client.client.cancelOrder(trade.order.orderId)
    client.client.cancelOrder(999_999)
    client.reqCurrentTime()
    assert codes == [10148, 10147]


def test_global_cancel_reaches_the_orders_of_all_clients(connect: Connect) -> None:
    """When any client asks for it, every open order is cancelled."""
    one, two = connect(1), connect(2)
    trade = one.placeOrder(aapl(), limit("BUY", 1, 10))
    receive_until(one, lambda: trade.orderStatus.status == "Submitted", "acknowledged")
    two.reqGlobalCancel()
    receive_until(one, trade.isDone, "cancelled")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"account": "DU1"}, 321),
        ({"action": "HOLD"}, 321),
        ({"totalQuantity": -5}, 321),
        ({"orderType": "LMT"}, 321),
        ({"orderType": "REL"}, 387),
        ({"totalQuantity": 0}, 434),
    ],
    ids=str,
)
def test_unacceptable_order_never_reaches_the_broker(
    connect: Connect, stub: Stub, change: dict[str, Any], code: int
) -> None:
    """The client is told why, and there is no order."""
    client, codes = connect(), []
    client.errorEvent += lambda _id, came, *_: codes.append(came)
    order = market("BUY", 1)
    for name, value in change.items():
        setattr(order, name, value)
    client.placeOrder(aapl(), order)
    client.reqCurrentTime()
    assert codes == [code]
    assert stub.orders() == []


def test_what_if_order_is_answered_and_not_placed(connect: Connect, stub: Stub) -> None:
    """Margin and commission are told; nothing is bought."""
    client = connect()
    state = client.whatIfOrder(aapl(), market("BUY", 100))
    assert Decimal(state.initMarginChange) == Decimal("430.47") * 100 / 4
    assert state.commission == 1.0
    assert (stub.orders(), stub.entries("order_received")) == ([], [])


def test_positions_and_portfolio_follow_a_fill(connect: Connect) -> None:
    """The client that traded and another one both hold the new position without asking."""
    trader, onlooker = connect(1), connect(2)
    filled(trader, market("BUY", 10))
    for client in (trader, onlooker):
        receive_until(client, client.positions, "position")
        (position,) = client.positions()
        assert (position.contract.symbol, position.position, position.avgCost) == ("AAPL", 10, 430.58)
        receive_until(client, client.portfolio, "portfolio")
        (item,) = client.portfolio()
        assert (item.marketPrice, item.unrealizedPNL) == (430.47, -1.1)
    filled(trader, market("SELL", 10))
    receive_until(onlooker, lambda: not onlooker.positions(), "position closed")
    assert trader.reqPositions() == []


def test_account_figures_follow_a_fill(connect: Connect) -> None:
    """Cash goes down by price and commission, in the summary, the updates and the updates by request."""
    client = connect()
    filled(client, market("BUY", 10))
    cash = f"{Decimal(1_000_000) - Decimal('4304.80') - 1:.2f}"
    summary = {value.tag: value for value in client.accountSummary()}
    assert (summary["TotalCashValue"].value, summary["TotalCashValue"].currency) == (cash, "USD")
    assert Decimal(summary["NetLiquidation"].value) == Decimal(cash) + Decimal("4304.70")
    client.reqAccountUpdates()
    client.reqAccountUpdatesMulti()
    values = {(value.tag, value.currency): value.value for value in client.accountValues()}
    assert values["TotalCashValue", "USD"] == cash
    assert values["AccountType", ""] == "INDIVIDUAL"


def test_executions_pass_the_filter(connect: Connect) -> None:
    """By client, side, symbol, account and time; each comes with its commission."""
    one, two = connect(1), connect(2)
    filled(one, market("BUY", 1, orderRef="one"))
    filled(two, market("SELL", 1, orderRef="two"))

    def found(**wanted: Any) -> list[str]:
        return [fill.execution.orderRef for fill in two.reqExecutions(ib_insync().ExecutionFilter(**wanted))]

    assert found() == ["one", "two"]
    assert found(clientId=1) == ["one"]
    assert found(side="SELL") == ["two"]
    assert (found(symbol="AAPL"), found(symbol="IBM")) == (["one", "two"], [])
    assert (found(acctCode=ACCOUNT), found(acctCode="DU1")) == (["one", "two"], [])
    assert (found(time="20261119 00:00:00"), found(time="20261122 00:00:00")) == (["one", "two"], [])
    assert [fill.commissionReport.commission for fill in two.fills()] == [1.0, 1.0]


def test_order_ids_go_on_after_a_reconnect(connect: Connect) -> None:
    """A client that comes back is told an id that it has not used."""
    client = connect(4)
    used = filled(client, market("BUY", 1)).order.orderId
    client.disconnect()
    again = connect(4)
    assert again.client.getReqId() > used
    assert filled(again, market("BUY", 1)).order.orderId > used
