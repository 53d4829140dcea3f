"""Daily and weekly bars: asked of the gateway, and refused when nothing should be traded on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ib_insync import Contract, Stock
from pydantic import BaseModel, ConfigDict

from trading.workflow.decimals import exact
from trading.workflow.errors import DataUnfit
from trading.workflow.gateway import Gateway
from trading.workflow.settings import WorkflowSettings

WEEKLY_BAR_SIZE = "1 week"
_HISTORY_S = 10.0


class Bar(BaseModel):
    """The trading of a day or of a week; prices in dollars a share, as decimals from end to end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Instrument(BaseModel):
    """A stock as the gateway knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    con_id: int
    currency: str

    def contract(self) -> Contract:
        """The contract that requests and orders name."""
        return Contract(secType="STK", conId=self.con_id, symbol=self.symbol, exchange="SMART", currency=self.currency)


class MarketData(BaseModel):
    """What is known about one symbol's prices; it travels between tasks as plain JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument: Instrument
    daily: tuple[Bar, ...]
    weekly: tuple[Bar, ...]


async def fetch(gateway: Gateway, symbol: str, settings: WorkflowSettings) -> MarketData:
    """Ask for a symbol's contract, its daily bars and its weekly bars.

    Args:
        gateway: connected.
        symbol: a stock listed in the United States.
        settings: how far back, and how old the newest bar may be.

    Raises:
        DataUnfit: unknown symbol, or bars that are empty, stale or inconsistent.
        GatewayRefused: the gateway answered with an error.
        GatewayLost: the connection ended.
        GatewaySilent: no answer in time.
    """
    asked = Stock(symbol, "SMART", "USD")
    details = await gateway.ask(f"{symbol}'s contract", lambda: gateway.ib.reqContractDetailsAsync(asked))
    if len(details) != 1:
        raise DataUnfit(f"{symbol}: expected one contract, came {len(details)}")
    found = details[0].contract
    instrument = Instrument(symbol=symbol, con_id=found.conId, currency=found.currency)
    daily = await _history(gateway, instrument, settings.market_data_duration, settings.market_data_bar_size)
    weekly = await _history(gateway, instrument, settings.market_data_duration, WEEKLY_BAR_SIZE)
    demand_sound(daily, f"{symbol} daily bars", max_age_days=settings.market_data_max_age_days)
    # A week's bar is dated with its last trading day so far, which may be a week before today's first trade.
    demand_sound(weekly, f"{symbol} weekly bars", max_age_days=settings.market_data_max_age_days + 7)
    return MarketData(instrument=instrument, daily=daily, weekly=weekly)


async def _history(gateway: Gateway, instrument: Instrument, duration: str, bar_size: str) -> tuple[Bar, ...]:
    contract = instrument.contract()

    def request() -> Any:
        # Without a timeout of its own: the library would turn it into an empty list, and ours has a name.
        return gateway.ib.reqHistoricalDataAsync(contract, "", duration, bar_size, "TRADES", True, timeout=0)

    bars = await gateway.ask(f"{instrument.symbol}'s {bar_size} bars", request, deadline_s=_HISTORY_S)
    return tuple(
        Bar(
            day=bar.date,
            open=exact(bar.open),
            high=exact(bar.high),
            low=exact(bar.low),
            close=exact(bar.close),
            volume=exact(bar.volume),
        )
        for bar in bars
    )


def demand_sound(bars: tuple[Bar, ...], what: str, *, max_age_days: int, today: date | None = None) -> None:
    """Refuse bars on which nothing should be traded.

    Args:
        bars: oldest first.
        what: named in the error.
        max_age_days: how old the newest bar may be.
        today: UTC's when None.

    Raises:
        DataUnfit: no bars, an old newest bar, days out of order, or prices that contradict each other.
    """
    if not bars:
        raise DataUnfit(f"{what}: the gateway has none")
    for before, bar in zip((None, *bars), bars, strict=False):
        if before is not None and bar.day <= before.day:
            raise DataUnfit(f"{what}: {bar.day} follows {before.day}")
        prices = (bar.open, bar.high, bar.low, bar.close)
        if not all(price.is_finite() and price > 0 for price in prices) or not bar.volume.is_finite():
            raise DataUnfit(f"{what}: {bar.day} has a price that is not a positive number: {prices}")
        if bar.high != max(prices) or bar.low != min(prices) or bar.volume < 0:
            raise DataUnfit(f"{what}: {bar.day} contradicts itself: open, high, low, close are {prices}")
    age = (today or datetime.now(UTC).date()) - bars[-1].day
    if age > timedelta(days=max_age_days):
        raise DataUnfit(
            f"{what}: the newest is of {bars[-1].day}, {age.days} days ago; at most {max_age_days} are allowed"
        )
