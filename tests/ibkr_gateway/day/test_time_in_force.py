"""Orders that name their end, and orders for one auction: GTD, OPG, MOC and LOC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ibkr_gateway.day.exchange import Exchange, aapl, executions
from tests.ibkr_gateway.stub import ib_insync


def order(kind: str, **more: Any) -> Any:
    """Make an order to buy; the stock is offered at 430.48."""
    return ib_insync().Order(orderType=kind, action="BUY", totalQuantity=10, **more)


def ended_at(exchange: Exchange, reference: str) -> datetime:
    """Return when the gateway itself says that an order ended."""
    (moment,) = [each["ended_at"] for each in exchange.stub.orders() if each["order_ref"] == reference]
    return datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("20261124 11:00:00 America/New_York", datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        ("20261124 11:00:00 US/Eastern", datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        ("20261124-16:00:00", datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        ("20261124 11:00:00", datetime(2026, 11, 24, 16, 0, tzinfo=UTC)),
        ("11:00:00", datetime(2026, 11, 23, 16, 0, tzinfo=UTC)),
        ("20261124", datetime(2026, 11, 25, 4, 59, 59, tzinfo=UTC)),
    ],
)
def test_gtd_order_ends_at_its_time(exchange: Exchange, text: str, ends: datetime) -> None:
    """In each way of writing a time; it rests until then, over a night and a close."""
    client = exchange.client()
    trade = exchange.place(client, order("LMT", lmtPrice=1, tif="GTD", goodTillDate=text), "PreSubmitted", "gtd")
    exchange.move("2026-11-25T09:45")
    exchange.let(client, trade.isDone, "ended")
    assert trade.orderStatus.status == "Cancelled"
    assert ended_at(exchange, "gtd") == ends
    assert (202, "Order Canceled - reason:") in exchange.told


def test_gtd_order_ends_on_a_running_clock_and_an_open_exchange(exchange: Exchange) -> None:
    """Nothing has to move the clock, and no hours have to be kept."""
    exchange.change(to="2026-11-23T10:59:59", hours="always-open")
    client = exchange.client()
    terms = {"lmtPrice": 1, "tif": "GTD", "goodTillDate": "20261123 11:00:01 US/Eastern"}
    trade = exchange.place(client, order("LMT", **terms), "Submitted", "gtd")
    exchange.let(client, trade.isDone, "ended")
    assert trade.orderStatus.status == "Cancelled"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"tif": "GTD"}, 391),
        ({"tif": "GTD", "goodTillDate": "2026-11-24"}, 391),
        ({"tif": "GTD", "goodTillDate": "20261124 11:00"}, 391),
        ({"tif": "GTD", "goodTillDate": "20261124 11:00:00 Nowhere/Land"}, 391),
        ({"tif": "GTD", "goodTillDate": "20261324 11:00:00"}, 391),
        ({"tif": "GTD", "goodTillDate": "20261120 11:00:00"}, 334),
        ({"tif": "DAY", "goodTillDate": "20261124 11:00:00"}, 334),
        ({"tif": "OPG", "orderType": "STP", "auxPrice": 500}, 111),
        ({"tif": "GTC", "orderType": "MOC"}, 111),
    ],
    ids=str,
)
def test_end_that_cannot_be_is_refused(exchange: Exchange, stub: Any, terms: dict[str, Any], code: int) -> None:
    """The client is told why, and there is no order."""
    client = exchange.client()
    client.placeOrder(aapl(), order(**{"kind": terms.pop("orderType", "LMT"), "lmtPrice": 1, **terms}))
    client.reqCurrentTime()
    assert (exchange.codes, stub.orders()) == ([code], [])


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"kind": "MKT"}, "Filled"),
        ({"kind": "LMT", "lmtPrice": 500}, "Filled"),
        ({"kind": "LMT", "lmtPrice": 1}, "Cancelled"),
    ],
    ids=["market", "limit-met", "limit-not-met"],
)
def test_order_for_the_opening_fills_in_it_or_never(exchange: Exchange, terms: dict[str, Any], status: str) -> None:
    """It is done at half past nine sharp, one way or the other."""
    client = exchange.client()
    trade = exchange.place(client, order(**terms, tif="OPG"), "PreSubmitted", "opening")
    exchange.move("2026-11-23T09:29:59")
    assert exchange.status("opening") == "PreSubmitted"
    exchange.move("open")
    exchange.let(client, trade.isDone, "done")
    assert trade.orderStatus.status == status
    assert ended_at(exchange, "opening") == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def test_order_for_the_opening_that_comes_too_late_is_for_the_next_one(exchange: Exchange) -> None:
    """At 9:28 the opening's book is closed: it fills on Tuesday."""
    exchange.move("2026-11-23T09:28")
    client = exchange.client()
    trade = exchange.place(client, order("MKT", tif="OPG"), "PreSubmitted", "late")
    exchange.let(client, lambda: "until 2026-11-24 09:30:00 US/Eastern" in exchange.told[-1][1], "held to Tuesday")
    exchange.move("close")
    assert exchange.status("late") == "PreSubmitted"
    exchange.move("open")
    exchange.let(client, trade.isDone, "filled")
    assert executions(client) == ["late"]


@pytest.mark.parametrize("hours", ["exchange", "always-open"])
@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"kind": "MOC"}, "Filled"),
        ({"kind": "LOC", "lmtPrice": 500}, "Filled"),
        ({"kind": "LOC", "lmtPrice": 1}, "Cancelled"),
    ],
    ids=["market", "limit-met", "limit-not-met"],
)
def test_order_for_the_closing_fills_in_it_or_never(
    exchange: Exchange, terms: dict[str, Any], status: str, hours: str
) -> None:
    """It waits all day, is done at the close, and knows an early one; an exchange that is always open closes for it."""
    exchange.change(to="2026-11-27T10:00", hours=hours)
    client = exchange.client()
    trade = exchange.place(client, order(**terms), "PreSubmitted", "closing")
    exchange.move("2026-11-27T12:59:59")
    assert (exchange.status("closing"), exchange.codes) == ("PreSubmitted", [])
    exchange.move("close")
    exchange.let(client, trade.isDone, "done")
    assert trade.orderStatus.status == status
    assert ended_at(exchange, "closing") == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("symbol", "at", "status"),
    [
        ("AAPL", "2026-11-23T15:54:59", "PreSubmitted"),
        ("AAPL", "2026-11-23T15:55", "Inactive"),
        ("IBM", "2026-11-23T15:49:59", "PreSubmitted"),
        ("IBM", "2026-11-23T15:50", "Inactive"),
        ("IBM", "2026-11-23T16:00", "PreSubmitted"),
        ("IBM", "2026-11-27T12:50", "Inactive"),
    ],
)
def test_order_for_the_closing_has_a_cut_off(exchange: Exchange, symbol: str, at: str, status: str) -> None:
    """Nasdaq's is five minutes before the close, the New York Stock Exchange's ten; after it, 201."""
    exchange.change(running=False)
    exchange.move(at)
    client = exchange.client()
    client.placeOrder(ib_insync().Stock(symbol, "SMART", "USD"), order("MOC", orderRef="closing"))
    client.reqCurrentTime()
    assert exchange.status("closing") == status
    assert (exchange.codes == [201]) is (status == "Inactive")


def test_bracket_placed_at_night_lives_as_one(exchange: Exchange) -> None:
    """The parent fills at the open, its exits wait with it, the night holds both, and one fill ends the other."""
    client = exchange.client()
    parent, target, stop = client.bracketOrder("BUY", 10, limitPrice=500, takeProfitPrice=9999, stopLossPrice=1)
    for each in (parent, target, stop):
        each.tif = "GTC"
    trades = [client.placeOrder(aapl(), each) for each in (parent, target, stop)]
    exchange.let(client, lambda: all(trade.orderStatus.status == "PreSubmitted" for trade in trades), "held")
    assert exchange.stub.entries("fill") == []
    exchange.move("2026-11-23T10:00")
    statuses = _statuses(trades)
    exchange.let(client, lambda: statuses() == ["Filled", "Submitted", "PreSubmitted"], "parent filled")
    exchange.move("midnight")
    exchange.let(client, lambda: statuses() == ["Filled", "PreSubmitted", "PreSubmitted"], "exits held")
    target.lmtPrice, target.transmit = 2, True
    client.placeOrder(aapl(), target)
    exchange.move("2026-11-24T10:00")
    exchange.let(client, lambda: statuses() == ["Filled", "Filled", "Cancelled"], "one exit")
    assert [position.position for position in client.reqPositions()] == []


def _statuses(trades: list[Any]) -> Callable[[], list[str]]:
    return lambda: [trade.orderStatus.status for trade in trades]


@pytest.mark.parametrize(("price", "status"), [(500, "Filled"), (1, "Cancelled")])
def test_immediate_order_at_night_is_immediate_at_the_open(exchange: Exchange, price: float, status: str) -> None:
    """IOC is held like any other order, and then it fills or is cancelled."""
    client = exchange.client()
    trade = exchange.place(client, order("LMT", lmtPrice=price, tif="IOC"), "PreSubmitted", "ioc")
    exchange.move("open")
    exchange.let(client, trade.isDone, "done")
    assert trade.orderStatus.status == status
