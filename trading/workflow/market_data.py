"""Daily and weekly bars: asked of the gateway, and refused when nothing should be traded on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from ib_insync import Contract, Stock
from pydantic import BaseModel, ConfigDict, ValidationError

from trading.workflow.decimals import exact
from trading.workflow.errors import DataUnfit
from trading.workflow.gateway import Gateway
from trading.workflow.market_calendar import MarketCalendar, calendar_of, today_in_new_york
from trading.workflow.settings import WorkflowSettings

WEEKLY_BAR_SIZE = "1 week"
_HISTORY_S = 10.0
# A week's bar is dated with its last trading day so far, which may be a week before today's first trade.
_WEEK_SESSIONS = 5
# The exchange may close unforeseen, for two days after a storm, and the calendar then learns of it only later.
_GAP_MAX_SESSIONS = 2


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
    require_consistent(daily, f"{symbol} daily bars")
    require_consistent(weekly, f"{symbol} weekly bars")
    today = today_in_new_york()
    calendar = calendar_of(min(daily[0].day, today), today)
    require_whole(daily, f"{symbol} daily bars", calendar, today=today)
    most = settings.market_data_max_age_sessions
    require_current(daily, f"{symbol} daily bars", calendar, today=today, max_age_sessions=most)
    require_current(weekly, f"{symbol} weekly bars", calendar, today=today, max_age_sessions=most + _WEEK_SESSIONS)
    return MarketData(instrument=instrument, daily=daily, weekly=weekly)


async def _history(gateway: Gateway, instrument: Instrument, duration: str, bar_size: str) -> tuple[Bar, ...]:
    contract = instrument.contract()

    def request() -> Any:
        # Without a timeout of its own: the library would turn it into an empty list, and ours has a name.
        return gateway.ib.reqHistoricalDataAsync(contract, "", duration, bar_size, "TRADES", True, timeout=0)

    what = f"{instrument.symbol}'s {bar_size} bars"
    bars = await gateway.ask(what, request, deadline_s=_HISTORY_S)
    try:
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
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        words = f"{'.'.join(map(str, first['loc']))} is {first['input']}: {first['msg']}"
        raise DataUnfit(f"{what}: one is no bar of a day: {words}") from invalid


def require_consistent(bars: Sequence[Bar], what: str) -> None:
    """Refuse bars that are missing or contradict themselves.

    Args:
        bars: oldest first.
        what: named in the error.

    Raises:
        DataUnfit: no bars, days out of order or twice, or prices that contradict each other.
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


def require_whole(bars: Sequence[Bar], what: str, calendar: MarketCalendar, *, today: date) -> None:
    """Refuse daily bars of days to come or without trading, and ones that leave trading days out.

    Args:
        bars: oldest first, at least one.
        what: named in the error.
        calendar: of the days from the oldest bar until today.
        today: the exchange's.

    Raises:
        DataUnfit: says which days.
    """
    if bars[-1].day > today:
        raise DataUnfit(f"{what}: the newest is of {bars[-1].day}, and today is {today}")
    days = {bar.day for bar in bars}
    sessions = calendar.sessions_in(bars[0].day, bars[-1].day)
    if closed := sorted(days.difference(sessions)):
        raise DataUnfit(f"{what}: {closed[0]} is no trading day of the exchange")
    missing: list[date] = []
    for session in sessions:
        missing = [] if session in days else [*missing, session]
        if len(missing) > _GAP_MAX_SESSIONS:
            raise DataUnfit(f"{what}: there are none for the trading days {', '.join(map(str, missing))}")


def require_current(
    bars: Sequence[Bar], what: str, calendar: MarketCalendar, *, today: date, max_age_sessions: int
) -> None:
    """Refuse bars whose newest is old.

    Args:
        bars: oldest first, at least one.
        what: named in the error.
        calendar: of the days from the newest bar until today.
        today: the exchange's.
        max_age_sessions: how many trading days the newest may lie back; today counts when it is one.

    Raises:
        DataUnfit: says how old it is.
    """
    newest = bars[-1].day
    age = len(calendar.sessions_in(newest, today)) - calendar.is_session(newest)
    if age > max_age_sessions:
        raise DataUnfit(
            f"{what}: the newest is of {newest}, {age} trading days before {today};"
            f" at most {max_age_sessions} are allowed (MARKET_DATA_MAX_AGE_SESSIONS)"
        )
