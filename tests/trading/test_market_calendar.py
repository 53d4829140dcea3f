"""The exchange's calendar: holidays are no trading days, and what was loaded once is used again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from trading.workflow.market_calendar import calendar_around, calendar_of, today_in_new_york, warm_up


@pytest.mark.parametrize(
    ("day", "is_session"),
    [
        ("2026-11-25", True),
        ("2026-11-26", False),  # Thanksgiving
        ("2026-11-27", True),  # a short day is a trading day
        ("2026-11-28", False),  # a Saturday
        ("2026-12-25", False),
        ("2026-07-03", False),  # Independence Day falls on the Saturday after it
        ("2026-04-03", False),  # Good Friday
        ("2026-04-06", True),  # Easter Monday
        ("2027-01-01", False),
        ("2012-10-29", False),  # closed by a storm
    ],
)
def test_calendar_knows_holidays(day: str, is_session: bool) -> None:  # noqa: FBT001 - a column of the table
    """Holidays that move, holidays that are moved, and closings that were not foreseen."""
    asked = date.fromisoformat(day)
    assert calendar_around(asked).is_session(asked) is is_session


def test_calendar_finds_the_sessions_around_a_long_weekend() -> None:
    """From the evening before Thanksgiving to the Monday after it."""
    calendar = calendar_around(date(2026, 11, 26))
    assert calendar.last_session(date(2026, 11, 26)) == date(2026, 11, 25)
    assert calendar.last_session(date(2026, 11, 25)) == date(2026, 11, 25)
    assert calendar.next_session(date(2026, 11, 25)) == date(2026, 11, 27)
    assert calendar.next_session(date(2026, 11, 27)) == date(2026, 11, 30)
    assert calendar.sessions_in(date(2026, 11, 25), date(2026, 11, 30)) == (
        date(2026, 11, 25),
        date(2026, 11, 27),
        date(2026, 11, 30),
    )
    assert calendar.sessions_in(date(2026, 11, 28), date(2026, 11, 29)) == ()


def test_calendar_is_loaded_once_for_the_days_that_runs_ask_about() -> None:
    """After the scheduler has warmed it up, no task loads it again: a year back and a month ahead."""
    warm_up()
    today = today_in_new_york()
    warm = calendar_around(today)
    assert calendar_of(today - timedelta(days=366), today) is warm


@pytest.mark.parametrize("year", [1995, 2035])
def test_calendar_reaches_far(year: int) -> None:
    """Twenty years of bars, and a schedule of later years; the ends of a year need the next one."""
    new_years_eve = date(year, 12, 31)
    calendar = calendar_around(new_years_eve)
    assert calendar.next_session(new_years_eve) > date(year + 1, 1, 1)
    assert calendar_around(date(year, 1, 1)).last_session(date(year, 1, 1)) < date(year, 1, 1)
