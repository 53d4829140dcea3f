"""What a client subscribes to goes on by itself, as the market does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ibkr_gateway.stub import Stub, ib_insync, receive_until


def test_live_data_goes_on_with_the_market(connect: Callable[..., Any], stub: Stub) -> None:
    """A book, trades one by one, profit and loss and a last bar follow the ticks; bars of five seconds come in time."""
    client, stock = connect(), ib_insync().Stock("AAPL", "SMART", "USD")
    stub.control.patch("/behaviour", json={"tick_interval_s": 0.05, "price_moves": True, "fill_delay_s": 0})
    trade = client.placeOrder(stock, ib_insync().MarketOrder("BUY", 100))
    receive_until(client, trade.isDone, "filled")
    (account,) = client.managedAccounts()
    profit, single = client.reqPnL(account), client.reqPnLSingle(account, "", 265598)
    ticks: list[float] = []
    ticker = client.reqTickByTickData(stock, "AllLast")
    ticker.updateEvent += lambda updated: ticks.extend(tick.price for tick in updated.tickByTicks)
    book = client.reqMktDepth(stock, 3, True)
    live = client.reqHistoricalData(stock, "", "1 D", "1 min", "MIDPOINT", False, keepUpToDate=True)
    five = client.reqRealTimeBars(stock, 5, "TRADES", False)
    receive_until(client, lambda: len(five) > 0 and len(set(ticks)) > 5, "live data", 12)
    assert [(level.price, level.marketMaker) for level in book.domBids] == sorted(
        ((level.price, level.marketMaker) for level in book.domBids), reverse=True
    )
    assert len(book.domBids) == len(book.domAsks) == 3
    assert book.domBids[0].price < book.domAsks[0].price
    assert five[0].low <= five[0].close <= five[0].high
    assert live[-1].date <= datetime.now(UTC).astimezone(live[-1].date.tzinfo).replace(year=2026, month=11, day=20)
    # A minute that has only just begun has one price so far.
    receive_until(client, lambda: live[-1].high > live[-1].low, "the last bar to follow", evidence=lambda: live[-1])
    assert single.position == 100
    # Each is told once a second and so at a price of its own, unless the price stands still.
    stub.control.patch("/behaviour", json={"price_moves": False})
    (quote,) = client.reqTickers(stock)
    gained = sum(
        fill.execution.shares * (quote.last - fill.execution.price) - fill.commissionReport.commission
        for fill in trade.fills
    )
    receive_until(
        client,
        lambda: [profit.dailyPnL, single.dailyPnL] == pytest.approx([gained, gained], abs=0.005),
        "the profit of the trade",
        evidence=lambda: (profit, single, gained),
    )
