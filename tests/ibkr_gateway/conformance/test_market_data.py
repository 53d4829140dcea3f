"""What each client library gets of contracts, bars and ticks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.ibkr_gateway.conformance import source_prices
from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Contract, Quote
from tests.ibkr_gateway.stub import CLOCK


def test_contract_is_qualified(client: Client) -> None:
    """The contract id is the real one, and the primary exchange is filled in."""
    assert client.qualify("AAPL") == [Contract(265598, "AAPL", "STK", "SMART", "NASDAQ", "USD", "NMS")]


def test_unknown_security_type_is_refused_with_200(client: Client) -> None:
    """There is no contract, and the reason is told with the request's own id."""
    assert client.qualify("AAPL", "NONE") == []
    (fault,) = [fault for fault in client.faults() if fault.request_id != -1]
    assert (fault.code, fault.request_id > 0) == (200, True)
    assert client.is_connected()


@pytest.mark.parametrize("years", [1, 5])
@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_daily_bars_equal_the_source(client: Client, symbol: str, years: int) -> None:
    """Every trading day up to the clock's, each price to the last cent and each volume to the last share."""
    bars = client.bars(symbol, f"{years} Y")
    assert bars == source_prices.daily(symbol, years)
    assert bars[-1].day == date.fromisoformat(CLOCK)
    assert len(bars) > 249 * years


@pytest.mark.parametrize("format_date", [1, 2])
@pytest.mark.parametrize("use_rth", [True, False])
def test_weekly_bars_equal_the_resampled_source(client: Client, format_date: int, *, use_rth: bool) -> None:
    """Weeks of two years, joined from their days; neither the form of the date nor the hours change a thing."""
    bars = client.bars("MSFT", "2 Y", "1 week", format_date=format_date, use_rth=use_rth)
    assert bars == source_prices.weekly("MSFT", 2)
    assert len(bars) > 100


@pytest.mark.parametrize("format_date", [1, 2])
@pytest.mark.parametrize("use_rth", [True, False])
def test_daily_bars_are_dated_with_days_in_every_format(client: Client, format_date: int, *, use_rth: bool) -> None:
    """Day bars carry a date, not a point in time, whichever format is asked for, with and without other hours."""
    assert client.bars("GOOG", "1 Y", format_date=format_date, use_rth=use_rth) == source_prices.daily("GOOG", 1)


def test_bars_end_where_they_are_asked_to(client: Client) -> None:
    """An end in the past yields the same bars, cut there."""
    cut = date(2026, 6, 30)
    expected = [bar for bar in source_prices.daily("AAPL", 1) if bar.day <= cut][-5:]
    assert client.bars("AAPL", "5 D", end="20260630 23:59:59 America/New_York") == expected


def test_bars_that_do_not_exist_are_refused_with_162(client: Client) -> None:
    """The request ends without bars, and the connection goes on."""
    assert client.bars("AAPL", "5 D", end="19700102 23:59:59 America/New_York") == []
    assert [fault.code for fault in client.faults() if fault.request_id != -1] == [162]
    assert client.bars("AAPL", "5 D") == source_prices.daily("AAPL", 1)[-5:]


def quote_of(symbol: str) -> Quote:
    """Return what the source says that a stock trades at: a cent around the last close."""
    before, last = source_prices.daily(symbol, 1)[-2:]
    return Quote(
        bid=round(last.close - 0.01, 2),
        ask=round(last.close + 0.01, 2),
        last=last.close,
        bid_size=100,
        ask_size=100,
        last_size=100,
        open=last.open,
        high=last.high,
        low=last.low,
        previous_close=before.close,
        volume=last.volume,
    )


def as_told_by(library: str, quote: Quote) -> Quote:
    """Return what of a quote a library hands on."""
    return replace(quote, bid_size=None) if library == "stoqey_ib" else quote


@pytest.mark.parametrize("symbol", ["AAPL", "IBM"])
def test_snapshot_equals_the_quote(client: Client, symbol: str) -> None:
    """Prices, sizes, the day's range and volume, and the end of the snapshot."""
    assert client.snapshot(symbol) == as_told_by(client.library, quote_of(symbol))


def test_streamed_ticks_equal_the_quote(client: Client) -> None:
    """A subscription begins with the same ticks, and can be ended."""
    assert client.stream("AAPL") == as_told_by(client.library, quote_of("AAPL"))
    assert client.current_time() > 0
    assert [fault for fault in client.faults() if fault.request_id != -1] == []
