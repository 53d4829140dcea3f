"""Bars on which nothing should be traded are refused, and the rest keep their exact prices."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.gateway_faults import gateway_fault, gateway_with
from tests.trading.parts import Parts, new_run, task
from trading.workflow import tasks
from trading.workflow.decimals import exact
from trading.workflow.errors import DataUnfit, GatewayRefused, WorkflowError
from trading.workflow.market_calendar import calendar_around, today_in_new_york
from trading.workflow.market_data import Bar, MarketData, require_consistent, require_current, require_whole
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]

# Thursday the 26th is a holiday.
TODAY = date(2026, 11, 30)
CALENDAR = calendar_around(TODAY)


def bar(day: date) -> Bar:
    """A bar of a day."""
    return Bar(day=day, open=Decimal(100), high=Decimal(101), low=Decimal(99), close=Decimal(100), volume=Decimal(1000))


def bars_until(day: date) -> tuple[Bar, ...]:
    """A bar for each trading day of November until a day."""
    return tuple(map(bar, CALENDAR.sessions_in(date(2026, 11, 1), day)))


def november(day: int) -> date:
    """A day of the month that these tests play in."""
    return date(2026, 11, day)


@pytest.mark.parametrize(
    "change",
    [
        {"high": Decimal("99.5")},
        {"low": Decimal("100.5")},
        {"close": Decimal(0)},
        {"close": Decimal(-1)},
        {"open": Decimal("NaN")},
        {"high": Decimal("Infinity")},
        {"volume": Decimal(-1)},
        {"volume": Decimal("NaN")},
        {"day": november(24)},
        {"day": november(25)},
    ],
)
def test_bars_that_contradict_themselves_are_refused(change: dict[str, Any]) -> None:
    """Prices out of order, not positive or not numbers, a negative volume, and days out of order or twice."""
    sound = bars_until(november(27))
    require_consistent(sound, "AAPL")
    with pytest.raises(DataUnfit, match="AAPL"):
        require_consistent((*sound[:-1], sound[-1].model_copy(update=change)), "AAPL")


def test_bars_that_are_missing_are_refused() -> None:
    """An empty answer is no answer."""
    with pytest.raises(DataUnfit, match="none"):
        require_consistent((), "AAPL")


def test_bars_of_days_without_trading_or_to_come_are_refused() -> None:
    """A holiday, a Saturday, and tomorrow."""
    sound = bars_until(november(27))
    require_whole(sound, "AAPL", CALENDAR, today=TODAY)
    for day in (26, 28):
        with pytest.raises(DataUnfit, match=f"2026-11-{day} is no trading day"):
            require_whole((*bars_until(november(25)), bar(november(day))), "AAPL", CALENDAR, today=TODAY)
    with pytest.raises(DataUnfit, match="the newest is of 2026-11-27, and today is 2026-11-25"):
        require_whole(sound, "AAPL", CALENDAR, today=november(25))


@pytest.mark.parametrize("missing", [0, 1, 2, 3, 5])
def test_bars_with_a_gap_are_refused(missing: int) -> None:
    """Three trading days without a bar are a gap; the exchange may close for two of which no calendar knows."""
    whole = bars_until(november(27))
    with_gap = whole[:4] + whole[4 + missing :]
    refused = pytest.raises(DataUnfit, match="there are none for the trading days 2026-11-06, 2026-11-09, 2026-11-10")
    with refused if missing > 2 else contextlib.nullcontext():
        require_whole(with_gap, "AAPL", CALENDAR, today=TODAY)


@pytest.mark.parametrize(
    ("newest", "today", "age"),
    [
        (30, 30, 0),
        (27, 30, 1),  # before Monday's bar is there
        (27, 29, 0),  # on a weekend
        (25, 27, 1),  # over a holiday
        (25, 30, 2),
        (20, 30, 5),
    ],
)
def test_bars_are_as_old_as_there_were_trading_days(newest: int, today: int, age: int) -> None:
    """Weekends and holidays do not count; one day more than is allowed is refused."""
    bars = bars_until(november(newest))
    require_current(bars, "AAPL", CALENDAR, today=november(today), max_age_sessions=age)
    if age:
        with pytest.raises(DataUnfit, match=f"{age} trading days before 2026-11-{today}"):
            require_current(bars, "AAPL", CALENDAR, today=november(today), max_age_sessions=age - 1)


def fetch(symbol: str = "AAPL") -> MarketData:
    """Run the task that fetches a symbol's bars."""
    fetched = tasks.fetch_market_data(task(new_run(), "fetch_market_data"), [symbol])
    return MarketData.model_validate(fetched[symbol])


def test_fetch_brings_bars_until_the_last_trading_day(clean_gateway: Parts, set_up: SetUp) -> None:
    """A year of daily bars and of weekly ones, whole and current."""
    set_up()
    data = fetch()
    today = today_in_new_york()
    assert data.daily[-1].day == calendar_around(today).last_session(today)
    assert len(data.daily) > 200
    assert 50 <= len(data.weekly) <= 54


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("history-no-data", "error 162: .*HMDS query returned no data"),
        ("history-pacing", "error 162: .*pacing violation"),
        ("no-security-definition", "error 200: No security definition"),
        ("no-market-data-subscription", "error 354: Requested market data is not subscribed"),
    ],
)
def test_fetch_fails_with_the_gateways_words(clean_gateway: Parts, set_up: SetUp, fault: str, words: str) -> None:
    """An error is an error, and no empty list on which the run goes on."""
    set_up()
    with gateway_fault(clean_gateway, fault), pytest.raises(GatewayRefused, match=words):
        fetch()


@pytest.mark.parametrize("fault", ["history-cut", "garbage-fields", "connectivity-lost"])
def test_fetch_fails_on_a_damaged_answer(clean_gateway: Parts, set_up: SetUp, fault: str) -> None:
    """What comes in pieces, is garbled, or cannot be had since the servers are lost, is a failure in time."""
    set_up(ibkr_reconnect_s=1)
    with gateway_fault(clean_gateway, fault), pytest.raises(WorkflowError):
        fetch()


def test_fetch_refuses_prices_of_last_week(set_up: SetUp, tmp_path: Path) -> None:
    """A gateway whose newest bar is three trading days old is answered with no order."""
    today = today_in_new_york()
    old = calendar_around(today).sessions_in(today - timedelta(days=20), today)[-4]
    with gateway_with(tmp_path, "--clock", str(old)) as port:
        set_up(ibkr_port=port)
        with pytest.raises(DataUnfit, match=f"the newest is of {old}, 3 trading days before {today}"):
            fetch()
        set_up(ibkr_port=port, market_data_max_age_sessions=3)
        assert fetch().daily[-1].day == old


@pytest.mark.parametrize("text", ["430.46", "0.1", "123456789.12", "10", "0.00001234"])
def test_numbers_come_back_as_the_gateway_wrote_them(text: str) -> None:
    """The detour over the library's float changes nothing."""
    assert exact(float(text)) == Decimal(text)
