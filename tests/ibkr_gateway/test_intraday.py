"""Bars below a day: they join to the daily ones, and a request gets those that it means."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.ibkr_gateway.market.history import INTRADAY, NEW_YORK, read_duration, read_end
from fixtures.ibkr_gateway.market.instruments import ContractQuery, Instrument
from fixtures.ibkr_gateway.market.intraday import Intraday, Stamped
from fixtures.ibkr_gateway.market.intraday_history import is_too_far, select_intraday
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.real_prices import load_real_prices
from fixtures.ibkr_gateway.market.spans import Span, join, split
from fixtures.ibkr_gateway.market.trading_days import load_trading_days

MARKET = Market(date(2026, 11, 20), load_trading_days(), load_real_prices(), seed=1)
INTRADAY_BARS = Intraday(MARKET)
SIZES_S = [size_s for size_s in INTRADAY.values() if size_s >= 60]


@st.composite
def _spans(draw: st.DrawFn) -> Span:
    low = draw(st.integers(1, 100_000))
    high = low + draw(st.integers(0, 5_000))
    inside = st.integers(low, high)
    return Span(draw(inside), high, low, draw(inside), draw(st.integers(0, 10**8)))


@given(whole=_spans(), parts=st.integers(1, 400), seed=st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_parts_of_a_span_join_to_it(whole: Span, parts: int, seed: int) -> None:
    """To the last cent and share, whichever way the price goes, and no part contradicts itself."""
    made = split(whole, parts, random.Random(seed))  # noqa: S311 - prices, not secrets
    assert len(made) == parts
    assert join(made) == whole
    assert [
        one for one in made if not one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high
    ] == []
    assert min(one.volume for one in made) >= 0
    assert sum(one.volume // 100 for one in made) == whole.volume // 100


def contract(security_type: str) -> Instrument:
    """Return one contract of a type."""
    symbol, exchange = {
        "STK": ("AAPL", "SMART"),
        "CASH": ("EUR", "IDEALPRO"),
        "FUT": ("ES", "CME"),
        "OPT": ("AAPL", "SMART"),
        "IND": ("SPX", "CBOE"),
        "CRYPTO": ("BTC", "PAXOS"),
    }[security_type]
    option = {"expiry": "20270115", "strike": Decimal(400), "right": "P"} if security_type == "OPT" else {}
    future = {"expiry": "20261218"} if security_type == "FUT" else {}
    query = ContractQuery(0, symbol, security_type, exchange, "", "USD", **option, **future)  # type: ignore[arg-type]
    found = MARKET.instruments.find(query)
    assert found is not None
    return found


@pytest.mark.parametrize("security_type", ["STK", "CASH", "FUT", "OPT", "IND", "CRYPTO"])
@pytest.mark.parametrize("size_s", SIZES_S)
def test_bars_of_a_day_join_to_its_daily_bar(security_type: str, size_s: int) -> None:
    """In each size and type: open, high, low, close and volume, also where real prices are finer than a cent."""
    instrument = contract(security_type)
    for daily in MARKET.daily(instrument.key)[-3:]:
        bars = list(INTRADAY_BARS.bars(instrument, daily.day, size_s, regular=True))
        whole, step = join([bar.span for bar in bars]), bars[0].step
        prices = (whole.open * step, whole.high * step, whole.low * step, whole.close * step)
        assert (*prices, whole.volume) == (daily.open, daily.high, daily.low, daily.close, daily.volume)


@pytest.mark.parametrize("size_s", [1, 5, 10, 15, 30])
def test_bars_of_seconds_join_to_their_minute(size_s: int) -> None:
    """So that all sizes tell one story."""
    for minute in list(INTRADAY_BARS.minutes(contract("STK"), date(2026, 11, 20), regular=False))[::97]:
        bars = list(INTRADAY_BARS.within(contract("STK"), minute, size_s))
        assert [bar.start_s - minute.start_s for bar in bars] == list(range(0, 60, size_s))
        assert join([bar.span for bar in bars]) == minute.span


def select(duration: str, size: str, *, regular: bool = True, end: str = "", symbol: str = "AAPL") -> list[Stamped]:
    """Select bars as a request does."""
    instrument = MARKET.instruments.named(symbol)
    assert instrument is not None
    return select_intraday(
        INTRADAY_BARS,
        MARKET.days,
        instrument,
        size_s=INTRADAY[size],
        duration=read_duration(duration),
        end=read_end(end, MARKET.clock),
        regular=regular,
        newest=read_end("", MARKET.clock),
    )


def when(bar: Stamped) -> str:
    """Return when a bar begins in New York."""
    return f"{datetime.fromtimestamp(bar.start_s, NEW_YORK):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("duration", "size", "end", "count", "first", "last"),
    [
        ("1 D", "1 min", "", 390, "2026-11-20 09:30:00", "2026-11-20 15:59:00"),
        ("5 D", "1 hour", "", 35, "2026-11-16 09:30:00", "2026-11-20 15:00:00"),
        ("1 D", "4 hours", "", 2, "2026-11-20 09:30:00", "2026-11-20 12:00:00"),
        ("1 W", "30 mins", "", 65, "2026-11-16 09:30:00", "2026-11-20 15:30:00"),
        ("1 M", "8 hours", "", 23, "2026-10-21 09:30:00", "2026-11-20 09:30:00"),
        ("3600 S", "5 mins", "", 12, "2026-11-20 15:00:00", "2026-11-20 15:55:00"),
        ("60 S", "5 secs", "20261118 10:00:02 US/Eastern", 12, "2026-11-18 09:59:05", "2026-11-18 10:00:00"),
        ("1 D", "1 min", "20261118 10:00:00 US/Eastern", 30, "2026-11-18 09:30:00", "2026-11-18 09:59:00"),
        ("2 D", "1 hour", "20261118-15:00:00", 8, "2026-11-17 09:30:00", "2026-11-18 09:30:00"),
        # Seconds of trading, so that they reach back into the day before.
        ("3600 S", "15 mins", "20261118 10:00:00 US/Eastern", 4, "2026-11-17 15:30:00", "2026-11-18 09:45:00"),
    ],
)
def test_request_selects_its_bars(duration: str, size: str, end: str, count: int, first: str, last: str) -> None:
    """Days are trading days, seconds those of trading; bars begin at whole multiples of their size, before the end."""
    bars = select(duration, size, end=end)
    assert (len(bars), when(bars[0]), when(bars[-1])) == (count, first, last)


def test_hours_around_the_regular_ones_come_only_if_they_are_wanted() -> None:
    """From four in the morning to eight in the evening, little traded, beginning at the close of the day before."""
    wide, narrow = select("1 D", "1 min", regular=False), select("1 D", "1 min")
    assert (len(wide), when(wide[0]), when(wide[-1])) == (960, "2026-11-20 04:00:00", "2026-11-20 19:59:00")
    assert [bar for bar in wide if when(bar)[11:] >= "09:30" and when(bar)[11:] < "16:00"] == narrow
    before = MARKET.daily("AAPL")[-2]
    assert wide[0].span.open * wide[0].step == before.close
    outside = sum(bar.span.volume for bar in wide) - sum(bar.span.volume for bar in narrow)
    assert 0 < outside < MARKET.daily("AAPL")[-1].volume / 20


@pytest.mark.parametrize(
    ("size", "most", "beyond"),
    [
        ("1 secs", "2000 S", "2001 S"),
        ("30 secs", "28800 S", "28801 S"),
        ("1 min", "1 M", "2 M"),
        ("1 hour", "1 Y", "2 Y"),
    ],
)
def test_small_bars_reach_back_only_so_far(size: str, most: str, beyond: str) -> None:
    """Otherwise one request could keep the gateway busy for minutes."""
    assert not is_too_far(INTRADAY[size], read_duration(most))
    assert is_too_far(INTRADAY[size], read_duration(beyond))


def test_bars_of_seconds_are_kept_for_half_a_year() -> None:
    """Older ones there are none, but minutes there are."""
    assert select("60 S", "1 secs", end="20260601 12:00:00 US/Eastern")
    assert select("60 S", "1 secs", end="20260401 12:00:00 US/Eastern") == []
    assert select("60 S", "1 min", end="20260401 12:00:00 US/Eastern")


_TELL = """
from datetime import date
from fixtures.ibkr_gateway.market.intraday import Intraday
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.trading_days import load_trading_days
market = Market(date(2026, 11, 20), load_trading_days(), {}, seed=1)
intraday, stock = Intraday(market), market.instruments.named("ZQX")
minutes = list(intraday.minutes(stock, date(2026, 11, 20), regular=False))
print(minutes, list(intraday.within(stock, minutes[500], 1)))
"""


def test_intraday_bars_are_the_same_in_every_process() -> None:
    """They follow from the seed, the symbol and the time, and not from what was asked before."""
    told = set()
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _TELL]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert len(told) == 1
    stock = MARKET.instruments.named("ZQX")
    assert stock is not None
    select("1 M", "1 hour", symbol="ZQX")
    minutes = list(INTRADAY_BARS.minutes(stock, date(2026, 11, 20), regular=False))
    assert told.pop() == f"{minutes} {list(INTRADAY_BARS.within(stock, minutes[500], 1))}\n"
