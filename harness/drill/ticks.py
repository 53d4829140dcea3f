"""When a schedule has a run come."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from harness.errors import StackError
from harness.stack.adapters import ScheduleAdapter


def ticks_between(schedule: ScheduleAdapter, began: datetime, ended: datetime) -> tuple[datetime, ...]:
    """The ticks between two times, without those on days on which the exchange is closed.

    Raises:
        StackError: the cron expression or the calendar's name is none, or its package is not installed.
    """
    try:
        from croniter import croniter  # type: ignore[import-untyped] # noqa: PLC0415 - only a schedule needs it
    except ImportError as cause:
        raise StackError("x-harness.adapters.schedule needs the package croniter: install it") from cause
    try:
        times = croniter(schedule.cron, began.astimezone(ZoneInfo(schedule.timezone)))
        ticks: list[datetime] = []
        while (tick := times.get_next(datetime)) <= ended:
            if _is_open(schedule.calendar, tick):
                ticks.append(tick.astimezone(UTC))
    except (ValueError, KeyError) as cause:
        raise StackError(f"x-harness.adapters.schedule: {cause}") from cause
    return tuple(ticks)


def _is_open(calendar: str | None, tick: datetime) -> bool:
    if calendar is None:
        return True
    try:
        import exchange_calendars  # noqa: PLC0415 - slow to import, and only a calendar needs it
    except ImportError as cause:
        raise StackError("x-harness.adapters.schedule.calendar needs the package exchange-calendars") from cause
    try:
        exchange = exchange_calendars.get_calendar(calendar)
    except exchange_calendars.errors.InvalidCalendarName as cause:
        raise StackError(f"x-harness.adapters.schedule: there is no calendar {calendar!r}") from cause
    return bool(exchange.is_session(tick.date()))
