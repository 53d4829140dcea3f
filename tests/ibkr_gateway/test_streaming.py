"""Ticks that keep coming, and prices that move."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from fixtures.ibkr_gateway.market.bars import CENT
from fixtures.ibkr_gateway.market.history import NEW_YORK
from fixtures.ibkr_gateway.market.tape import BAND, Tape
from tests.ibkr_gateway.stub import CLOCK, Stub, ib_insync, notice_loss, receive_until, wait_until

Connect = Callable[..., Any]
CLOSE = Decimal("430.47")
SOME_TICKS = 40


def behave(stub: Stub, **settings: float) -> None:
    """Set how the market ticks."""
    stub.control.patch("/behaviour", json=settings).raise_for_status()


def aapl() -> Any:
    """Describe the stock that closed at CLOSE."""
    return ib_insync().Stock("AAPL", "SMART", "USD")


def follow(client: Any) -> tuple[Any, list[Any]]:
    """Subscribe to the stock; return the ticker and its ticks, which grow."""
    ticks: list[Any] = []
    ticker = client.reqMktData(aapl())
    ticker.updateEvent += lambda updated: ticks.extend(updated.ticks)
    return ticker, ticks


def ticks_of(ticks: list[Any], tick_type: int) -> list[Any]:
    """Return those of one type."""
    return [tick for tick in ticks if tick.tickType == tick_type]


def volume_now(client: Any) -> float:
    """Ask for a snapshot, and return how many shares have been traded."""
    (ticker,) = client.reqTickers(aapl())
    volume: float = ticker.volume
    return volume


def walk(ticks: int) -> list[Decimal]:
    """Return the last prices of as many ticks as the gateway's market makes them; its seed is 1."""
    tape = Tape("AAPL", 1, CLOSE)
    prices = []
    for _ in range(ticks):
        tape.tick(moves=True)
        prices.append(tape.last)
    return prices


def test_ticks_keep_coming_while_subscribed(connect: Connect, stub: Stub) -> None:
    """The last trade and its time, a growing volume and the sizes of bid and ask; the prices stand still."""
    behave(stub, tick_interval_s=0.02)
    client = connect()
    ticker, ticks = follow(client)
    receive_until(client, lambda: len(ticks_of(ticks, 8)) >= 10, "ten ticks of volume")
    volumes = [tick.size for tick in ticks_of(ticks, 8)]
    assert all(before < after for before, after in pairwise(volumes))
    trades = ticks_of(ticks, 4)
    assert {tick.price for tick in trades} == {float(CLOSE)}
    traded = sum(tick.size for tick in trades[-len(volumes) + 1 :])
    assert traded == volumes[-1] - volumes[0]
    assert len({tick.size for tick in ticks_of(ticks, 0)}) > 1
    assert len({tick.size for tick in ticks_of(ticks, 3)}) > 1
    assert (ticker.bid, ticker.last, ticker.ask) == (430.46, 430.47, 430.48)
    told = [e["fields"][3:] for e in stub.entries("message_out") if e["name"] == "tickString"]
    assert len(told) >= 10
    assert {fields[0] for fields in told} == {"45"}
    assert {str(datetime.fromtimestamp(int(fields[1]), NEW_YORK).date()) for fields in told} == {CLOCK}


def test_interval_between_ticks_is_obeyed(connect: Connect, stub: Stub) -> None:
    """A change counts at once, not after the interval that was set before."""
    behave(stub, tick_interval_s=60)
    client = connect()
    _, ticks = follow(client)
    receive_until(client, lambda: ticks_of(ticks, 8), "the first quote")
    behave(stub, tick_interval_s=0.2)
    receive_until(client, lambda: len(ticks_of(ticks, 8)) >= 4, "three more ticks")
    times = [e["mono_s"] for e in stub.entries("message_out") if e["name"] == "tickString"][1:4]
    assert all(0.19 <= after - before < 2 for before, after in pairwise(times))


def ticks_sent(stub: Stub, client_id: int) -> int:
    """Return how many ticks a client was sent."""
    sent = [entry for entry in stub.entries("message_out") if entry["client_id"] == client_id]
    return sum(entry["name"].startswith("tick") for entry in sent)


def leave(client: Any, stub: Stub, how: str) -> None:
    """End the client's subscription, and return once the gateway knows."""
    if how == "cancelled":
        client.cancelMktData(client.tickers()[0].contract)
        client.reqCurrentTime()
    else:
        client.disconnect()
        wait_until(lambda: stub.entries("connection_closed"), "the gateway has noticed")


@pytest.mark.parametrize("how", ["cancelled", "disconnected"])
def test_ended_subscription_is_told_nothing_more(connect: Connect, stub: Stub, how: str) -> None:
    """A client that cancels or goes gets no more ticks, while another one still does."""
    behave(stub, tick_interval_s=0.02)
    leaving, staying = connect(1), connect(2)
    _, ticks = follow(leaving)
    _, more = follow(staying)
    receive_until(leaving, lambda: len(ticks) > SOME_TICKS, "ticks")
    leave(leaving, stub, how)
    sent, had = ticks_sent(stub, 1), len(more)
    receive_until(staying, lambda: len(more) > had + SOME_TICKS, "more ticks for the other one")
    assert ticks_sent(stub, 1) == sent


def traded_meanwhile(client: Any) -> float:
    """Return how many shares are traded in the time of thirty ticks of 0.01 s."""
    before, began = volume_now(client), time.monotonic()
    # That nothing happens can only be seen by letting the time pass in which it would.
    receive_until(client, lambda: time.monotonic() - began > 0.3, "the time has passed")
    return volume_now(client) - before


@pytest.mark.parametrize("how", ["cancelled", "disconnected"])
def test_market_rests_without_subscribers(connect: Connect, stub: Stub, how: str) -> None:
    """With the last subscription the ticking ends, if prices stand still; snapshots do not need it."""
    behave(stub, tick_interval_s=0.01)
    client, other = connect(1), connect(2)
    assert traded_meanwhile(client) == 0
    _, ticks = follow(other)
    receive_until(other, lambda: len(ticks) > SOME_TICKS, "ticks")
    leave(other, stub, how)
    assert traded_meanwhile(client) == 0


def test_moving_market_needs_no_subscription(connect: Connect, stub: Stub) -> None:
    """Prices that move do so whether or not a client follows them, until they are to stand still again."""
    behave(stub, tick_interval_s=0.01)
    client = connect()
    volume_now(client)
    behave(stub, price_moves=True)
    assert traded_meanwhile(client) > 0
    behave(stub, price_moves=False)
    assert traded_meanwhile(client) == 0


def test_reset_ends_every_subscription_and_brings_prices_back(
    connect: Connect, stub: Stub, loop: asyncio.AbstractEventLoop
) -> None:
    """Quote, volume and settings are as at the start."""
    client = connect()
    at_first = volume_now(client)
    behave(stub, tick_interval_s=0.01, price_moves=True)
    ticker, _ = follow(client)
    receive_until(client, lambda: ticker.last != float(CLOSE), "the price moves")
    stub.reset()
    notice_loss(client, loop)
    again = connect(2)
    (ticker,) = again.reqTickers(aapl())
    assert (ticker.bid, ticker.last, ticker.ask, ticker.volume) == (430.46, 430.47, 430.48, at_first)
    assert stub.control.get("/behaviour").json()["price_moves"] is False


def test_moving_prices_are_those_of_the_seed(connect: Connect, stub: Stub) -> None:
    """Tick by tick the walk that grows from seed and symbol, bid and ask a cent to each side, within the band."""
    behave(stub, tick_interval_s=0.02)
    client = connect()
    volume_now(client)
    behave(stub, price_moves=True)
    ticker, ticks = follow(client)
    receive_until(client, lambda: len(ticks_of(ticks, 4)) > SOME_TICKS, "ticks")
    came = [Decimal(str(tick.price)) for tick in ticks_of(ticks, 4)]
    expected = [CLOSE, *walk(SOME_TICKS * 10)]
    # The market may have ticked before the subscription came.
    start = next(place for place in range(20) if expected[place] == came[0])
    assert came == expected[start : start + len(came)]
    assert len(set(came)) > 1
    assert ticker.ask - ticker.last == pytest.approx(0.01)
    assert ticker.last - ticker.bid == pytest.approx(0.01)
    assert all(abs(price - CLOSE) <= CLOSE * BAND for price in came)


def test_resting_limit_order_fills_when_the_price_comes_to_it(connect: Connect, stub: Stub) -> None:
    """It waits while prices stand still, and then fills at its price or a better one."""
    behave(stub, tick_interval_s=0.01, fill_delay_s=0)
    client, price = connect(), float(min(walk(SOME_TICKS)) + CENT)
    trade = client.placeOrder(aapl(), ib_insync().LimitOrder("BUY", 5, price))
    receive_until(client, lambda: trade.orderStatus.status == "Submitted", "acknowledged")
    assert traded_meanwhile(client) == trade.orderStatus.filled == 0
    behave(stub, price_moves=True)
    receive_until(client, trade.isDone, "filled")
    assert 0 < trade.orderStatus.avgFillPrice <= price


def test_resting_stop_order_is_triggered_by_the_last_price(connect: Connect, stub: Stub) -> None:
    """PreSubmitted until the price is met, then Submitted and Filled, wherever the price has gone by then."""
    behave(stub, tick_interval_s=0.01)
    client, price = connect(), float(min(walk(SOME_TICKS)))
    trade = client.placeOrder(aapl(), ib_insync().StopOrder("SELL", 5, price))
    receive_until(client, lambda: trade.orderStatus.status == "PreSubmitted", "acknowledged")
    behave(stub, price_moves=True)
    receive_until(client, trade.isDone, "filled")
    assert [e["status"] for e in stub.entries("order_status")] == ["PreSubmitted", "Submitted", "Filled"]


def test_market_order_meets_the_moving_quote(connect: Connect, stub: Stub) -> None:
    """Once prices have moved, an order fills where they are."""
    behave(stub, tick_interval_s=0.01, price_moves=True, fill_delay_s=0)
    client = connect()
    ticker, _ = follow(client)
    receive_until(
        client, lambda: abs(Decimal(str(ticker.last)) - CLOSE) > Decimal("0.05"), "the price is away from the close"
    )
    behave(stub, price_moves=False)
    (now,) = client.reqTickers(aapl())
    trade = client.placeOrder(aapl(), ib_insync().MarketOrder("BUY", 5))
    receive_until(client, trade.isDone, "filled")
    assert trade.orderStatus.avgFillPrice == now.ask != 430.48


@pytest.mark.parametrize(("data_type", "last"), [(1, 4), (2, 4), (3, 68), (4, 68)])
def test_later_subscriptions_have_the_type_that_was_asked_for(
    connect: Connect, stub: Stub, data_type: int, last: int
) -> None:
    """Live, frozen or delayed is told at the start; delayed data has tick types of its own, and other clients none."""
    behave(stub, tick_interval_s=0.02)
    client, other = connect(1), connect(2)
    client.reqMarketDataType(data_type)
    ticker, ticks = follow(client)
    receive_until(client, lambda: len(ticks_of(ticks, last)) > 3, "ticks")
    assert (ticker.marketDataType, ticker.last, ticker.ask) == (data_type, 430.47, 430.48)
    assert {tick.tickType for tick in ticks} <= (set(range(66, 77)) if last == 68 else set(range(15)))
    (theirs,) = other.reqTickers(aapl())
    assert theirs.marketDataType == 1


def test_senseless_requests_are_refused(connect: Connect) -> None:
    """An id that is in use, a subscription that is not there, a type that does not exist."""
    client, codes = connect(), []
    client.errorEvent += lambda _id, code, *_: codes.append(code)
    for _ in range(2):
        client.client.reqMktData(77, aapl(), "", False, False, [])
    client.client.cancelMktData(78)
    client.client.reqMarketDataType(9)
    client.client.cancelMktData(77)
    client.client.cancelMktData(77)
    client.reqCurrentTime()
    assert codes == [322, 300, 321, 300]
