"""Trading days, prices, bars and instruments."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from fixtures.ibkr_gateway.errors import ClockOutOfRange
from fixtures.ibkr_gateway.market.bars import Bar, resampled_monthly, resampled_weekly
from fixtures.ibkr_gateway.market.history import (
    INTRADAY,
    NEW_YORK,
    RESAMPLE,
    BadHistoryRequest,
    read_duration,
    read_end,
    select_bars,
)
from fixtures.ibkr_gateway.market.holidays import computed_trading_days
from fixtures.ibkr_gateway.market.instruments import REAL, ContractQuery, Instruments
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.real_prices import load_real_prices
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

DAYS = load_trading_days()
REAL_PRICES = load_real_prices()


def market(clock: str = "2026-11-20", seed: int = 1) -> Market:
    """Make a market on a date."""
    return Market(date.fromisoformat(clock), DAYS, REAL_PRICES, seed)


@pytest.mark.filterwarnings("ignore:Series.values returning:DeprecationWarning")  # exchange_calendars on pandas 3.1
def test_trading_days_are_those_of_exchange_calendars() -> None:
    """The tables of holidays and early closes that are read at start say what the library says."""
    assert computed_trading_days() == DAYS


@pytest.mark.parametrize(
    ("clock", "last"),
    [
        ("2026-11-20", "2026-11-20"),  # a Friday
        ("2026-11-22", "2026-11-20"),  # a Sunday
        ("2026-11-26", "2026-11-25"),  # Thanksgiving
        ("2027-01-01", "2026-12-31"),
    ],
)
def test_last_bar_is_the_last_trading_day_of_the_clock(clock: str, last: str) -> None:
    """The prices are shifted to any day that the drill plays on."""
    assert market(clock).daily("AAPL")[-1].day == date.fromisoformat(last)


@pytest.mark.parametrize("clock", ["1989-01-01", "2041-01-01"])
def test_clock_beyond_the_known_trading_days_is_refused(clock: str) -> None:
    """Without trading days there are no bars to date."""
    with pytest.raises(ClockOutOfRange, match="expected a clock from 1991-01-02 to 2040-12-31"):
        market(clock)


@pytest.mark.parametrize("symbol", sorted(known.symbol for known in REAL))
def test_real_bars_are_those_of_the_source(symbol: str) -> None:
    """Each price and volume is the one that the data package ships, in the same order."""
    import bokeh_sampledata.stocks as source  # noqa: PLC0415 - slow, and only this test needs it

    shipped: dict[str, Any] = getattr(source, symbol)
    bars = market().daily(symbol)
    assert [float(bar.open) for bar in bars] == shipped["open"]
    assert [float(bar.high) for bar in bars] == shipped["high"]
    assert [float(bar.low) for bar in bars] == shipped["low"]
    assert [float(bar.close) for bar in bars] == shipped["close"]
    assert [bar.volume for bar in bars] == shipped["volume"]


def test_bars_lie_on_consecutive_trading_days() -> None:
    """No trading day is left out and none is invented."""
    days = [bar.day for bar in market().daily("IBM")]
    assert days == sorted(set(days))
    assert all(DAYS.trades_on(day) for day in days)
    assert len(days) == sum(1 for day in DAYS.backwards_from(days[-1]) if day >= days[0])


def test_synthetic_bars_depend_on_seed_and_symbol_only() -> None:
    """The same seed gives the same prices; another seed or symbol others."""
    assert market(seed=3).daily("ZQX") == market(seed=3).daily("ZQX")
    assert market(seed=3).daily("ZQX") != market(seed=4).daily("ZQX")
    assert market(seed=3).daily("ZQX")[-1].close != market(seed=3).daily("ZQY")[-1].close


_TELL = """
from datetime import date
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.trading_days import load_trading_days
market = Market(date(2026, 11, 20), load_trading_days(), {}, seed=3)
first = market.quote("ZQX")
for _ in range(50):
    market.tick(moves=True)
print(market.daily("ZQX"), first, market.quote("ZQX"), market.instruments.named("ZQX"))
"""


def test_synthetic_market_is_the_same_in_every_process() -> None:
    """Bars, ticks and contract id of a made-up stock do not depend on what Python randomizes at its start."""
    told = set()
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _TELL]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert len(told) == 1
    assert "ZQX (SYNTHETIC)" in told.pop()


@pytest.mark.parametrize("symbol", ["AAPL", "ZQX"])
def test_bars_keep_open_and_close_between_low_and_high(symbol: str) -> None:
    """No bar contradicts itself."""
    odd = [b for b in market().daily(symbol) if not b.low <= min(b.open, b.close) <= max(b.open, b.close) <= b.high]
    assert odd == []


@pytest.mark.parametrize("symbol", ["AAPL", "ZQX"])
def test_weekly_bars_join_the_days_of_a_week(symbol: str) -> None:
    """Open of the first day, close of the last, extremes and volume of all, dated with the last trading day."""
    week = [bar for bar in market().daily(symbol) if date(2026, 11, 9) <= bar.day <= date(2026, 11, 13)]
    assert len(week) == 5
    assert resampled_weekly(week) == (
        Bar(
            date(2026, 11, 13),
            week[0].open,
            max(bar.high for bar in week),
            min(bar.low for bar in week),
            week[4].close,
            sum(bar.volume for bar in week),
        ),
    )


def test_resampling_keeps_every_share() -> None:
    """Weeks and months hold the volume of their days, also over the end of a year."""
    daily = market().daily("MSFT")
    total = sum(bar.volume for bar in daily)
    assert sum(bar.volume for bar in resampled_weekly(daily)) == total
    assert sum(bar.volume for bar in resampled_monthly(daily)) == total
    assert len({bar.day.isocalendar()[:2] for bar in resampled_weekly(daily)}) == len(resampled_weekly(daily))


@pytest.mark.parametrize(
    ("duration", "bar_size", "first", "count"),
    [
        ("5 D", "1 day", "2026-11-16", 5),
        ("86400 S", "1 day", "2026-11-20", 1),
        ("2 W", "1 day", "2026-11-09", 10),
        ("1 M", "1 day", "2026-10-21", 23),
        ("1 Y", "1 day", "2025-11-21", 251),
        ("4 W", "1 week", "2026-10-30", 4),
        ("3 M", "1 month", "2026-08-31", 4),
    ],
)
def test_duration_selects_bars(duration: str, bar_size: str, first: str, count: int) -> None:
    """Days are trading days; weeks, months and years are those of the calendar."""
    playing = market()
    end = read_end("", playing.clock)
    bars = select_bars(playing.daily("AAPL"), DAYS, bar_size=bar_size, duration=read_duration(duration), end=end)
    assert (str(bars[0].day), len(bars)) == (first, count)
    assert bars[-1].day == playing.last_day


@pytest.mark.parametrize("text", ["", "1", "D 1", "0 D", "-1 D", "1 X", "1.5 Y", "400 D", "13 M", "99999999 Y"])
def test_duration_outside_the_grammar_is_refused(text: str) -> None:
    """A duration that IB does not know is an error, not a guess."""
    with pytest.raises(BadHistoryRequest):
        read_duration(text)


def test_bar_sizes_are_those_of_the_grammar() -> None:
    """All that the documentation lists, and the short forms of week and month."""
    documented = "1 secs,5 secs,10 secs,15 secs,30 secs,1 min,2 mins,3 mins,5 mins,10 mins,15 mins,20 mins,30 mins"
    documented += ",1 hour,2 hours,3 hours,4 hours,8 hours,1 day,1 week,1 month"
    assert set(INTRADAY) | set(RESAMPLE) == {*documented.split(","), "1W", "1M"}


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("20261118 23:59:59", "2026-11-18"),
        ("20261118 09:00:00 America/New_York", "2026-11-17"),  # before the session opened
        ("20261118-14:00:00", "2026-11-17"),  # UTC: nine o'clock in New York
        ("20261118-15:00:00", "2026-11-18"),
        ("20261121 12:00:00 UTC", "2026-11-20"),  # a Saturday
        ("20301231 00:00:00", "2026-11-20"),
    ],
)
def test_end_time_cuts_the_bars(text: str, last: str) -> None:
    """A day counts once its session has opened, and none comes after the clock."""
    playing = market()
    bars = select_bars(
        playing.daily("AAPL"), DAYS, bar_size="1 day", duration=read_duration("5 D"), end=read_end(text, playing.clock)
    )
    assert (str(bars[-1].day), len(bars)) == (last, 5)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-11-18",
        "20261332 00:00:00",
        "20261118 00:00:00 Mars/Olympus",
        "20261118 00:00:00 ../x",
        "20261118 - 00:00:00",
    ],
)
def test_end_time_outside_the_grammar_is_refused(text: str) -> None:
    """An end time that IB does not know is an error."""
    with pytest.raises(BadHistoryRequest, match="invalid"):
        read_end(text, date(2026, 11, 20))


def test_end_time_before_all_data_selects_nothing() -> None:
    """There is no bar before the first."""
    end = datetime(1995, 1, 1, 12, tzinfo=NEW_YORK)
    assert select_bars(market().daily("AAPL"), DAYS, bar_size="1 day", duration=read_duration("1 Y"), end=end) == ()


def test_quote_stands_around_the_last_close() -> None:
    """A cent below it one sells, a cent above one buys, however long the market ticks."""
    playing = market()
    for _ in range(20):
        quote = playing.quote("AAPL")
        assert (quote.bid, quote.last, quote.ask) == (Decimal("430.46"), Decimal("430.47"), Decimal("430.48"))
        playing.tick(moves=False)


@pytest.mark.parametrize("symbol", ["", "aapl", "AAPL!!", "TOOLONGSYMBOL", "1AB", "A B C", "DROP TABLE", "Å"])
def test_malformed_symbol_is_unknown(symbol: str) -> None:
    """What cannot be a symbol has no security definition."""
    assert Instruments().named(symbol) is None


def test_instrument_is_found_by_its_contract_id_alone() -> None:
    """A qualified contract is recognized without its symbol, real or synthetic."""
    known = Instruments()
    for symbol in ("AAPL", "ZQX"):
        instrument = known.named(symbol)
        assert instrument is not None
        assert known.find(ContractQuery(instrument.con_id, "", "", "", "", "")) == instrument
        assert known.find(ContractQuery(instrument.con_id, "IBM", "", "", "", "")) is None
