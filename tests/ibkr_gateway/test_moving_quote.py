"""Quotes that go on with every tick."""

from __future__ import annotations

from datetime import date

import pytest

from fixtures.ibkr_gateway.market.bars import CENT
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.real_prices import load_real_prices
from fixtures.ibkr_gateway.market.tape import BAND
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

DAYS = load_trading_days()
REAL_PRICES = load_real_prices()


def market(seed: int = 1) -> Market:
    """Make a market."""
    return Market(date(2026, 11, 20), DAYS, REAL_PRICES, seed)


@pytest.mark.parametrize("symbol", ["AAPL", "ZQX"])
def test_moving_quote_stays_around_the_last_close(symbol: str) -> None:
    """In whole cents, with a spread of two, within the band, inside the day's range; volume grows by each trade."""
    playing = market()
    close = playing.daily(symbol)[-1].close
    before, lasts = playing.quote(symbol), set()
    for _ in range(20_000):
        playing.tick(moves=True)
        quote = playing.quote(symbol)
        assert quote.ask - quote.last == quote.last - quote.bid == CENT
        assert close * (1 - BAND) <= quote.bid < quote.ask <= close * (1 + BAND)
        assert quote.low <= quote.last <= quote.high
        assert quote.volume == before.volume + quote.last_size
        assert min(quote.bid_size, quote.ask_size, quote.last_size) > 0
        before = quote
        lasts.add(quote.last)
    assert all(last == last.quantize(CENT) for last in lasts)
    # The walk comes to both ends of the band.
    assert max(lasts) - min(lasts) > close * BAND


def test_moving_prices_depend_on_seed_and_symbol_only() -> None:
    """The same seed gives the same walk, with other symbols asked about or not; another seed another one."""
    one, two, other = market(seed=3), market(seed=3), market(seed=4)
    two.quote("IBM")
    walks = []
    for playing in (one, two, other):
        playing.quote("AAPL")
        for _ in range(30):
            playing.tick(moves=True)
        walks.append(playing.quote("AAPL"))
    assert walks[0] == walks[1] != walks[2]


def test_prices_that_stop_moving_stand_where_they_are() -> None:
    """Until a reset brings them back to the close."""
    playing = market()
    at_first = playing.quote("AAPL")
    for _ in range(30):
        playing.tick(moves=True)
    moved = playing.quote("AAPL")
    playing.tick(moves=False)
    assert playing.quote("AAPL").last == moved.last != at_first.last
    playing.reset()
    assert playing.quote("AAPL") == at_first
