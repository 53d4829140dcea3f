"""What ib_insync gets of contracts, bars and ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from fixtures.ibkr_gateway.market.bars import resampled_weekly
from fixtures.ibkr_gateway.market.market import Market
from fixtures.ibkr_gateway.market.real_prices import load_real_prices
from fixtures.ibkr_gateway.market.trading_days import load_trading_days
from tests.ibkr_gateway.stub import CLOCK, ib_insync

Connect = Callable[..., Any]
MARKET = Market(date.fromisoformat(CLOCK), load_trading_days(), load_real_prices(), seed=1)


@pytest.fixture
def client(connect: Connect) -> Any:
    """A connected client that raises what the gateway refuses."""
    connected = connect()
    connected.RaiseRequestErrors = True
    return connected


def stock(symbol: str) -> Any:
    """Describe a stock as a client does."""
    return ib_insync().Stock(symbol, "SMART", "USD")


def test_contract_is_qualified(client: Any) -> None:
    """Contract id and primary exchange are filled in."""
    (contract,) = client.qualifyContracts(stock("AAPL"))
    assert (contract.conId, contract.primaryExchange, contract.exchange) == (265598, "NASDAQ", "SMART")
    (details,) = client.reqContractDetails(contract)
    assert details.longName == "APPLE INC"
    assert details.liquidHours.startswith("20261120:0930-20261120:1600;20261121:CLOSED")


@pytest.mark.parametrize("symbol", ["aapl", "AAPL!", "", "WAYTOOLONG"])
def test_malformed_symbol_is_refused_with_200(client: Any, symbol: str) -> None:
    """There is no security definition, for details, bars, ticks and orders alike."""
    with pytest.raises(ib_insync().RequestError) as caught:
        client.reqContractDetails(stock(symbol))
    assert caught.value.code == 200
    with pytest.raises(ib_insync().RequestError) as caught:
        client.reqHistoricalData(stock(symbol), "", "5 D", "1 day", "TRADES", useRTH=True)
    assert caught.value.code == 200


@pytest.mark.parametrize("format_date", [1, 2])
@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "ZQX"])
def test_daily_bars_equal_the_source(client: Any, symbol: str, format_date: int) -> None:
    """Every day of a year, to the last cent and share, dated with a day in both date formats."""
    bars = client.reqHistoricalData(stock(symbol), "", "1 Y", "1 day", "TRADES", useRTH=True, formatDate=format_date)
    expected = [bar for bar in MARKET.daily(symbol) if bar.day > date(2025, 11, 20)]
    assert [(b.date, b.open, b.high, b.low, b.close, b.volume) for b in bars] == [
        (b.day, float(b.open), float(b.high), float(b.low), float(b.close), b.volume) for b in expected
    ]
    assert bars[-1].date == date.fromisoformat(CLOCK)


@pytest.mark.parametrize("symbol", ["MSFT", "ZQX"])
def test_weekly_bars_equal_the_resampled_source(client: Any, symbol: str) -> None:
    """Two years of weeks, each joined from its days."""
    bars = client.reqHistoricalData(stock(symbol), "", "2 Y", "1 week", "TRADES", useRTH=False)
    expected = [bar for bar in resampled_weekly(MARKET.daily(symbol)) if bar.day > date(2024, 11, 20)]
    assert [(b.date, b.open, b.high, b.low, b.close, b.volume) for b in bars] == [
        (b.day, float(b.open), float(b.high), float(b.low), float(b.close), b.volume) for b in expected
    ]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("20261118-14:00:00", "2026-11-17"),  # nine o'clock in New York, before the session opened
        ("20261118-15:00:00", "2026-11-18"),
        ("20261118 15:00:00 UTC", "2026-11-18"),
        ("20261118 09:00:00", "2026-11-17"),
        (date(2026, 11, 18), "2026-11-18"),
    ],
)
def test_end_of_history_is_taken_in_every_form(client: Any, end: object, last: str) -> None:
    """In UTC with a hyphen, with a time zone, in New York's time without one, or a day that the client writes."""
    bars = client.reqHistoricalData(stock("AAPL"), end, "5 D", "1 day", "TRADES", useRTH=True)
    assert (str(bars[-1].date), len(bars)) == (last, 5)


@pytest.mark.parametrize(("duration", "count"), [("60 S", 1), ("5 D", 5), ("1 W", 5), ("1 M", 23), ("2 Y", 501)])
def test_duration_reaches_back_at_any_hour(client: Any, duration: str, count: int) -> None:
    """Daily bars are the same with and without regular trading hours."""
    regular, all_hours = (
        client.reqHistoricalData(stock("IBM"), "", duration, "1 day", "TRADES", useRTH=regular)
        for regular in (True, False)
    )
    assert list(regular) == list(all_hours)
    assert len(regular) == count


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"durationStr": "1 Q"}, 321),
        ({"durationStr": "400 D"}, 321),
        ({"barSizeSetting": "7 days"}, 321),
        ({"whatToShow": "NONSENSE"}, 321),
        ({"formatDate": 9}, 321),
        ({"endDateTime": "tomorrow"}, 10314),
        ({"endDateTime": "19950101 12:00:00"}, 162),
        ({"endDateTime": "20261118-15:00:00 UTC"}, 10314),
        ({"barSizeSetting": "1 secs"}, 162),
    ],
)
def test_unanswerable_history_is_refused(client: Any, changed: dict[str, Any], code: int) -> None:
    """What is not in IB's grammar is 321, an end time 10314; what there is no data for is 162."""
    usual = {
        "endDateTime": "",
        "durationStr": "5 D",
        "barSizeSetting": "1 day",
        "whatToShow": "TRADES",
        "useRTH": True,
    }
    with pytest.raises(ib_insync().RequestError) as caught:
        client.reqHistoricalData(stock("AAPL"), **{**usual, **changed})
    assert caught.value.code == code


def test_snapshot_holds_the_quote(client: Any) -> None:
    """Bid, ask, last, the day's range, the close before, and the end of the snapshot."""
    (ticker,) = client.reqTickers(stock("AAPL"))
    assert (ticker.bid, ticker.last, ticker.ask) == (430.46, 430.47, 430.48)
    quote = MARKET.quote("AAPL")
    assert (ticker.open, ticker.high, ticker.low) == (float(quote.open), float(quote.high), float(quote.low))
    assert (ticker.close, ticker.volume) == (float(quote.previous_close), quote.volume)


def test_answers_come_while_others_wait(client: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Many requests at once are each answered with their own data."""

    async def ask(symbol: str) -> Any:
        return await client.reqHistoricalDataAsync(stock(symbol), "", "5 D", "1 day", "TRADES", useRTH=True)

    async def ask_all() -> list[Any]:
        return await asyncio.gather(*(ask(symbol) for symbol in ("AAPL", "IBM", "MSFT", "GOOG", "FB")))

    closes = [bars[-1].close for bars in loop.run_until_complete(ask_all())]
    assert closes == [float(MARKET.daily(symbol)[-1].close) for symbol in ("AAPL", "IBM", "MSFT", "GOOG", "FB")]
