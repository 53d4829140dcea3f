"""On which days the New York Stock Exchange trades, holidays included."""

from __future__ import annotations

import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

_AHEAD = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """The exchange's sessions over some whole years.

    Args:
        first_year: the first that is known.
        last_year: the last that is known.
        sessions: its trading days, in order.
    """

    first_year: int
    last_year: int
    sessions: tuple[date, ...]

    def covers(self, first: date, last: date) -> bool:
        """Whether all days of a span are known."""
        return self.first_year <= first.year and last.year <= self.last_year

    def is_session(self, day: date) -> bool:
        """Whether the exchange trades on a day."""
        return self.last_session(day) == day

    def last_session(self, day: date) -> date:
        """The last trading day that is not after a day."""
        return self.sessions[bisect_right(self.sessions, day) - 1]

    def next_session(self, day: date) -> date:
        """The first trading day after a day."""
        return self.sessions[bisect_right(self.sessions, day)]

    def sessions_in(self, first: date, last: date) -> tuple[date, ...]:
        """The trading days of a span, both its ends included."""
        return self.sessions[bisect_left(self.sessions, first) : bisect_right(self.sessions, last)]


_loaded: list[MarketCalendar] = []


def today_in_new_york() -> date:
    """The exchange's date now."""
    return datetime.now(NEW_YORK).date()


def calendar_of(first: date, last: date) -> MarketCalendar:
    """Get a calendar that knows a span of days, and a month beyond it; what was loaded before is used again.

    Args:
        first: the earliest day that will be asked about.
        last: the latest one.
    """
    for known in _loaded:
        if known.covers(first, last + _AHEAD):
            return known
    this_year = today_in_new_york().year
    calendar = _load(min(first.year, this_year - 1), max((last + _AHEAD).year, this_year + 1))
    _loaded.append(calendar)
    return calendar


def calendar_around(day: date) -> MarketCalendar:
    """Get a calendar that knows a day, and the month to both sides of it."""
    return calendar_of(day - _AHEAD, day)


def warm_up() -> None:
    """Load the calendar of these years, so that forks of this process need not: it takes a quarter of a second."""
    calendar_around(today_in_new_york())


def _load(first_year: int, last_year: int) -> MarketCalendar:
    with warnings.catch_warnings():
        # Of pandas, about the library's use of it; the answers are right.
        warnings.simplefilter("ignore", DeprecationWarning)
        from exchange_calendars import get_calendar  # noqa: PLC0415 - loads pandas, which few tasks need

        found = get_calendar("XNYS", start=f"{first_year}-01-01", end=f"{last_year}-12-31").sessions
    return MarketCalendar(first_year, last_year, tuple(session.date() for session in found))
