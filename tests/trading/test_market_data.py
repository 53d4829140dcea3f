"""Bars on which nothing should be traded are refused, and the rest keep their exact prices."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from trading.workflow.analysis import analyse
from trading.workflow.charts import chart_file, draw
from trading.workflow.decimals import exact
from trading.workflow.errors import DataUnfit
from trading.workflow.market_data import Bar, Instrument, MarketData, demand_sound

TODAY = date(2026, 11, 20)


def bars(count: int, step: str = "1") -> tuple[Bar, ...]:
    """Daily bars that end today, each a step above the one before."""
    made = []
    for number in range(count):
        price = 100 + number * Decimal(step)
        day = TODAY - timedelta(days=count - 1 - number)
        made.append(Bar(day=day, open=price, high=price + 1, low=price - 1, close=price, volume=Decimal(1000)))
    return tuple(made)


@pytest.mark.parametrize(
    "change",
    [
        {"high": Decimal(1)},
        {"low": Decimal(1000)},
        {"close": Decimal(0)},
        {"open": Decimal("NaN")},
        {"volume": Decimal(-1)},
        {"day": TODAY - timedelta(days=9)},
    ],
)
def test_bars_that_contradict_themselves_are_refused(change: dict[str, Any]) -> None:
    """Prices out of order, not positive or not numbers, negative volume, and days out of order."""
    sound = bars(5)
    demand_sound(sound, "AAPL", max_age_days=5, today=TODAY)
    spoilt = (*sound[:-1], sound[-1].model_copy(update=change))
    with pytest.raises(DataUnfit, match="AAPL"):
        demand_sound(spoilt, "AAPL", max_age_days=5, today=TODAY)


def test_bars_that_are_missing_or_old_are_refused() -> None:
    """No bars, and a newest bar that is too old."""
    with pytest.raises(DataUnfit, match="none"):
        demand_sound((), "AAPL", max_age_days=5, today=TODAY)
    with pytest.raises(DataUnfit, match="6 days ago"):
        demand_sound(bars(5), "AAPL", max_age_days=5, today=TODAY + timedelta(days=6))


@pytest.mark.parametrize("text", ["430.46", "0.1", "123456789.12", "10", "0.00001234"])
def test_numbers_come_back_as_the_gateway_wrote_them(text: str) -> None:
    """The detour over the library's float changes nothing."""
    assert exact(float(text)) == Decimal(text)


def a_market(count: int, step: str) -> MarketData:
    """Market data whose prices climb or fall."""
    instrument = Instrument(symbol="AAPL", con_id=1, currency="USD")
    return MarketData(instrument=instrument, daily=bars(count, step), weekly=bars(5))


@pytest.mark.parametrize(("count", "step", "action"), [(60, "0.5", "BUY"), (60, "-0.5", "SELL"), (20, "0.5", "HOLD")])
def test_signal_follows_the_averages(count: int, step: str, action: str) -> None:
    """Climbing prices buy, falling ones sell, and too few bars hold."""
    signal = analyse(a_market(count, step))
    assert signal.action == action
    assert 0 <= signal.confidence <= 1
    assert (None in signal.indicators.values()) == (action == "HOLD")


def test_signal_holds_on_a_single_bar() -> None:
    """The least that can be asked about."""
    assert analyse(a_market(1, "1")).action == "HOLD"


@pytest.mark.parametrize("count", [1, 5, 300])
def test_chart_is_a_png_of_any_number_of_bars(count: int) -> None:
    """Few bars or many, what comes out is a picture."""
    assert draw(bars(count, "0.1"), symbol="AAPL", period="daily").startswith(b"\x89PNG\r\n\x1a\n")


def test_chart_file_is_safe_and_the_same_for_each_attempt() -> None:
    """A run's name may hold anything; the file's does not, and a retry overwrites it rather than adding one."""
    name = chart_file("manual__2026-11-23T09:14+00:00/../x", "BRK B", "daily")
    assert name == chart_file("manual__2026-11-23T09:14+00:00/../x", "BRK B", "daily")
    assert name.replace("_", "").replace("-", "").replace(".png", "").isalnum()
