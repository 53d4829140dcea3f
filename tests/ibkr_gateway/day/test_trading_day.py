"""What a client sees of the exchange's hours, from the evening before to the night after; each day takes seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ibkr_gateway.day.exchange import Exchange, aapl, completed, executions
from tests.ibkr_gateway.stub import ib_insync


def market(shares: int = 10, **more: Any) -> Any:
    """Make a market order."""
    return ib_insync().MarketOrder("BUY", shares, **more)


def limit(price: float, **more: Any) -> Any:
    """Make a limit order; it is met from 430.48 on."""
    return ib_insync().LimitOrder("BUY", 10, price, **more)


def test_order_before_the_open_is_held_fills_at_it_and_is_gone_after_midnight(exchange: Exchange) -> None:
    """Held with 399 at nine, filled at half past, listed all day, in no list of the next day, and never forgotten."""
    client = exchange.client()
    trade = exchange.place(client, market(), "PreSubmitted", "early")
    exchange.let(client, lambda: exchange.told, "399")
    (told,) = exchange.told
    until = "your order will not be placed at the exchange until 2026-11-23 09:30:00 US/Eastern"
    assert told == (399, f"Order Message:\nBUY 10 AAPL NASDAQ.NMS\nWarning: {until}")
    assert (executions(client), exchange.status("early")) == ([], "PreSubmitted")

    exchange.move("open")
    exchange.let(client, trade.isDone, "filled")
    (fill,) = trade.fills
    assert (fill.execution.price, fill.execution.time.astimezone(UTC).strftime("%H:%M")) == (430.48, "14:30")
    exchange.move("close")
    assert (executions(client), completed(client)) == (["early"], [("early", "Filled")])

    exchange.move("midnight")
    assert (executions(client), completed(client)) == ([], [])
    assert [position.position for position in client.reqPositions()] == [10]
    assert exchange.status("early") == "Filled"
    assert [entry["order_ref"] for entry in exchange.stub.entries("fill")] == ["early"]


@pytest.mark.parametrize("order", [market, lambda: limit(500)], ids=["market", "limit"])
def test_order_in_regular_hours_is_not_held(exchange: Exchange, order: Any) -> None:
    """At ten o'clock it fills as ever, and nothing is told but that."""
    exchange.move("2026-11-23T10:00")
    client = exchange.client()
    exchange.place(client, order(), "Filled")
    assert exchange.told == []


def test_limit_order_outside_regular_hours_fills_in_extended_ones(exchange: Exchange) -> None:
    """With outsideRth it fills at nine; without, it is held, as a market order is that asks for it in vain."""
    client = exchange.client()
    exchange.place(client, limit(500, outsideRth=True), "Filled")
    assert exchange.codes == []
    exchange.place(client, limit(500), "PreSubmitted")
    exchange.let(client, lambda: exchange.codes == [399], "held")
    exchange.place(client, market(outsideRth=True), "PreSubmitted")
    exchange.let(client, lambda: sorted(exchange.codes) == [399, 399, 2109], "held, and told that it asks in vain")


def test_day_order_is_cancelled_at_the_close(exchange: Exchange) -> None:
    """Unfilled at four in the afternoon it ends as Cancelled, with 202, at that time; one for extended hours at eight."""
    exchange.move("open")
    client = exchange.client()
    trade = exchange.place(client, limit(1, tif="DAY"), "Submitted", "day")
    late = exchange.place(client, limit(1, tif="DAY", outsideRth=True), "Submitted", "late")
    exchange.move("close")
    exchange.let(client, trade.isDone, "expired")
    assert (trade.orderStatus.status, exchange.told) == ("Cancelled", [(202, "Order Canceled - reason:")])
    assert completed(client) == [("day", "Cancelled")]
    (ended,) = [order["ended_at"] for order in exchange.stub.orders() if order["order_ref"] == "day"]
    assert datetime.fromisoformat(ended) == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert late.orderStatus.status == "Submitted"
    exchange.move("midnight")
    exchange.let(client, late.isDone, "expired")


def test_day_order_after_the_close_is_good_for_the_next_session(exchange: Exchange) -> None:
    """Placed in the evening it lives through the night, and ends at the next close."""
    exchange.move("2026-11-23T18:00")
    client = exchange.client()
    trade = exchange.place(client, limit(1), "PreSubmitted", "evening")
    exchange.move("2026-11-24T15:59:59")
    exchange.let(client, lambda: trade.orderStatus.status == "Submitted", "placed")
    exchange.move("close")
    exchange.let(client, trade.isDone, "expired")
    assert "until 2026-11-24 09:30:00 US/Eastern" in exchange.told[0][1]


def test_gtc_order_rests_over_night_and_fills_the_next_day(exchange: Exchange) -> None:
    """It is open on both days, not filled in the night although its price is met then, and filled after the open."""
    exchange.move("open")
    client = exchange.client()
    trade = exchange.place(client, limit(1, tif="GTC"), "Submitted", "rests")
    exchange.move("midnight")
    exchange.let(client, lambda: trade.orderStatus.status == "PreSubmitted", "held over night")
    trade.order.lmtPrice = 9999
    client.placeOrder(trade.contract, trade.order)
    exchange.let(client, lambda: 399 in exchange.codes, "held again")
    assert [order.order.orderRef for order in client.reqAllOpenOrders()] == ["rests"]
    exchange.move("2026-11-24T09:29:59")
    assert exchange.status("rests") == "PreSubmitted"
    exchange.move("2026-11-24T09:31")
    exchange.let(client, trade.isDone, "filled")
    assert executions(client) == ["rests"]


def test_stop_is_not_triggered_in_the_night(exchange: Exchange) -> None:
    """A stop whose price is met at nine waits for the open, and then it is a market order."""
    client = exchange.client()
    trade = exchange.place(client, ib_insync().StopOrder("SELL", 10, 500), "PreSubmitted", "stop")
    exchange.let(client, lambda: exchange.codes == [399], "held")
    exchange.move("open")
    exchange.let(client, trade.isDone, "filled")
    assert trade.orderStatus.status == "Filled"


def test_early_close_ends_the_day_at_one(exchange: Exchange) -> None:
    """On the day after Thanksgiving a DAY order ends at 13:00, and an order at 13:01 is held to Monday."""
    exchange.move("2026-11-27T10:00")
    client = exchange.client()
    trade = exchange.place(client, limit(1), "Submitted", "short day")
    assert exchange.move("close")["new_york"].startswith("2026-11-27T13:00:00")
    exchange.let(client, trade.isDone, "expired")
    exchange.move("2026-11-27T13:01")
    exchange.place(client, market(), "PreSubmitted")
    exchange.let(client, lambda: "until 2026-11-30 09:30:00 US/Eastern" in exchange.told[-1][1], "held to Monday")


def test_contract_details_carry_the_hours_of_the_days_to_come(exchange: Exchange) -> None:
    """Regular and extended hours, closed days and the early close, from the clock's day on."""
    exchange.move("2026-11-25T12:00")
    (details,) = exchange.client().reqContractDetails(aapl())
    assert details.liquidHours.split(";")[:4] == [
        "20261125:0930-20261125:1600",
        "20261126:CLOSED",
        "20261127:0930-20261127:1300",
        "20261128:CLOSED",
    ]
    assert details.tradingHours.split(";")[0] == "20261125:0400-20261125:2000"
    assert details.tradingHours.split(";")[2] == "20261127:0400-20261127:1700"


def test_history_ends_with_the_clock_and_keeps_what_it_was(exchange: Exchange) -> None:
    """Today's bar is there once the exchange has opened, and the bars of earlier days stay as they were."""
    client = exchange.client()

    def days() -> list[Any]:
        bars = client.reqHistoricalData(aapl(), "", "5 D", "1 day", "TRADES", useRTH=True)
        return [(str(bar.date), bar.close) for bar in bars]

    before = days()
    assert before[-1][0] == "2026-11-20"
    exchange.move("open")
    today = days()
    assert (today[:-1], today[-1][0]) == (before[1:], "2026-11-23")
    exchange.move("2026-11-25T10:00")
    later = days()
    assert [day for day, _ in later[-2:]] == ["2026-11-24", "2026-11-25"]
    assert later[:3] == today[2:]


def test_always_open_exchange_fills_at_any_hour(exchange: Exchange) -> None:
    """Switched on the control port, the same order at nine is worked at once, and a DAY order outlives the close."""
    client = exchange.client()
    trade = exchange.place(client, market(), "PreSubmitted", "held")
    assert exchange.change(hours="always-open").json()["hours"] == "always-open"
    exchange.let(client, trade.isDone, "filled")
    resting = exchange.place(client, limit(1, tif="DAY"), "Submitted", "rests")
    exchange.move("2026-11-23T20:00")
    assert resting.orderStatus.status == exchange.status("rests") == "Submitted"
    exchange.change(hours="exchange")
    exchange.let(client, lambda: resting.orderStatus.status == "PreSubmitted", "held")
