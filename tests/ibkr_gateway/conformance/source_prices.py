"""Daily prices as the package of sample data holds them, read and dated by other means than the gateway's own."""

from __future__ import annotations

import warnings
from functools import cache
from importlib.resources import files

import pandas as pd
from pydantic import TypeAdapter

from tests.ibkr_gateway.conformance.drivers.terms import Bar
from tests.ibkr_gateway.stub import CLOCK

_COLUMNS = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}


def daily(symbol: str, years: int) -> list[Bar]:
    """Return the bars of the trading days in the years up to the drill's clock."""
    return _bars(_daily(symbol), years)


def weekly(symbol: str, years: int) -> list[Bar]:
    """Return the same for weeks from Monday to Sunday, each dated with its last trading day."""
    days = _daily(symbol)
    weeks = days.assign(day=days.index).resample("W-SUN")
    joined = weeks.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "day": "last"})
    return _bars(joined.dropna().set_index("day"), years)


def _bars(frame: pd.DataFrame, years: int) -> list[Bar]:
    wanted = frame[frame.index > pd.Timestamp(CLOCK) - pd.DateOffset(years=years)]
    return TypeAdapter(list[Bar]).validate_python(wanted.reset_index(names="day").to_dict("records"))


@cache
def _daily(symbol: str) -> pd.DataFrame:
    prices = _prices()
    own = prices[prices["Ticker"] == symbol].rename(columns=_COLUMNS)[list(_COLUMNS.values())]
    days = _trading_days()[-len(own) :]
    return own[-len(days) :].set_index(days)


@cache
def _prices() -> pd.DataFrame:
    with (files("bokeh_sampledata") / "_data" / "stocks.csv.gz").open("rb") as packed:
        return pd.read_csv(packed, compression="gzip")


@cache
def _trading_days() -> pd.DatetimeIndex:
    with warnings.catch_warnings():
        # The library uses what pandas 3.1 will drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        from exchange_calendars import get_calendar  # noqa: PLC0415 - its import warns as well

        sessions = get_calendar("XNYS", start="2015-01-01", end=CLOCK).sessions
    assert isinstance(sessions, pd.DatetimeIndex)
    return sessions
