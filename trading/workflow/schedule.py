"""When the workflow runs by itself; `python -m trading.workflow.schedule show` prints the next runs."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter  # type: ignore[import-untyped]  # Airflow's own dependency, without types
from pydantic_settings import BaseSettings, SettingsConfigDict

from trading.workflow.market_calendar import NEW_YORK, calendar_around

EXAMPLE = "0 9 * * 1-5"
_MANUAL = frozenset({"", "manual", "none"})
_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS = (
    ("minute", "0-59", r"[0-9*,/-]+"),
    ("hour", "0-23", r"[0-9*,/-]+"),
    ("day of month", "1-31, or L for the last", r"[0-9*,/L?-]+"),
    ("month", "1-12 or JAN-DEC", r"([0-9*,/-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+"),
    ("day of week", "0-7 or SUN-SAT, where 0 and 7 are Sunday", r"([0-9*,/L#?-]|SUN|MON|TUE|WED|THU|FRI|SAT)+"),
)
_MAX_FAILED_RUNS = 1000
_HORIZON = timedelta(days=366)


class ScheduleSettings(BaseSettings):
    """The settings that a DAG file reads; all others are read when a task starts.

    They are texts, so that reading them cannot fail: a DAG must stay importable.

    Args:
        workflow_schedule: five cron fields or a preset; empty or "manual" for no schedule.
        workflow_timezone: in which the fields are meant.
        workflow_max_failed_runs: after so many failed runs in a row Airflow pauses the DAG; 0 for never.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    workflow_schedule: str = EXAMPLE
    workflow_timezone: str = "America/New_York"
    workflow_max_failed_runs: str = "5"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the workflow runs by itself.

    Args:
        cron: five fields; None for manual runs only.
        timezone: in which the fields are meant.
        max_failed_runs: after so many failed runs in a row Airflow pauses the DAG; 0 for never.
        problem: why the settings could not be used; empty when they could.
    """

    cron: str | None
    timezone: str
    max_failed_runs: int = 0
    problem: str = ""

    def ticks(self, after: datetime) -> Iterator[datetime]:
        """Yield the times, in UTC, at which Airflow starts a run; as many as are asked for.

        Args:
            after: aware; the first time is later.
        """
        zone = ZoneInfo(self.timezone)
        while self.cron is not None:
            wall = after.astimezone(zone).replace(tzinfo=None)
            cron = croniter(self.cron, wall)
            following = cron.get_next(datetime)
            # As Airflow does: each hour counts when the clock is set back, unless the schedule names hours.
            after = after + (following - wall) if cron.expanded[1] == ["*"] else _in_utc(following, zone)
            yield after.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class NextRuns:
    """What comes next.

    Args:
        runs: times in UTC, in order.
        closed: days on which a run is left out, because the exchange is closed.
    """

    runs: tuple[datetime, ...]
    closed: tuple[date, ...]


def next_runs(schedule: Schedule, *, after: datetime, count: int = 5) -> NextRuns:
    """Find the next runs, holidays left out, within a year.

    Args:
        schedule: read by `read_schedule`.
        after: aware.
        count: how many at most.
    """
    runs: list[datetime] = []
    closed: list[date] = []
    moment = after
    while schedule.cron is not None and len(runs) < count:
        moment = next(schedule.ticks(moment))
        if moment > after + _HORIZON:
            break
        day = moment.astimezone(NEW_YORK).date()
        if calendar_around(day).is_session(day):
            runs.append(moment)
        else:
            closed.append(day)
            # The rest of a closed day need not be looked at tick by tick.
            moment = datetime.combine(day, datetime.max.time(), NEW_YORK).astimezone(UTC)
    return NextRuns(tuple(runs), tuple(closed))


def _in_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    """Find the moment of a wall clock's time: the later one of two, and after a gap as many minutes as before it."""
    later = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def read_schedule(settings: ScheduleSettings | None = None) -> Schedule:
    """Read the schedule; a wrong one becomes manual-only with the problem in words, since a DAG must stay importable.

    Args:
        settings: given by tests; read from the environment when None.
    """
    given = settings or ScheduleSettings()
    try:
        ZoneInfo(given.workflow_timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = f"WORKFLOW_TIMEZONE is {given.workflow_timezone!r}: expected a zone as in America/New_York"
        return Schedule(None, "UTC", problem=words)
    most = given.workflow_max_failed_runs.strip()
    if not re.fullmatch(r"[0-9]{1,4}", most) or int(most) > _MAX_FAILED_RUNS:
        words = f"WORKFLOW_MAX_FAILED_RUNS is {most!r}: expected 0 (never stop) to {_MAX_FAILED_RUNS}, as in 5"
        return Schedule(None, given.workflow_timezone, problem=words)
    text = given.workflow_schedule.strip()
    if text.lower() in _MANUAL:
        return Schedule(None, given.workflow_timezone, int(most))
    cron = _PRESETS.get(text.lower(), text)
    problem = _problem(cron)
    if problem:
        words = f"WORKFLOW_SCHEDULE is {text!r}: {problem}; a correct one is {EXAMPLE!r}, on weekdays at 9"
        return Schedule(None, given.workflow_timezone, int(most), words)
    return Schedule(cron, given.workflow_timezone, int(most))


def _problem(cron: str) -> str:
    """Say which field is wrong; each is tried alone, among four that are right."""
    if cron.startswith("@"):
        return f"expected a preset of {', '.join(_PRESETS)}"
    values = cron.upper().split()
    names = [name for name, _, _ in _FIELDS]
    if len(values) != len(_FIELDS):
        return f"it has {len(values)} fields, expected {len(_FIELDS)}: {', '.join(names)} (or a preset, or 'manual')"
    for place, (value, (name, allowed, form)) in enumerate(zip(values, _FIELDS, strict=True)):
        alone = " ".join(value if place == other else "*" for other in range(len(_FIELDS)))
        if not re.fullmatch(form, value) or not croniter.is_valid(alone):
            return f"the {name} is {value!r}, expected {allowed}, with * , - and / as in cron"
    try:
        croniter(cron).get_next()
    except CroniterError:
        return f"the day of month {values[2]!r} does not come in the month {values[3]!r}, so it would never run"
    return ""


def as_text(schedule: Schedule, found: NextRuns) -> str:
    """Describe the next runs to a person, or say why there are none.

    Args:
        schedule: read by `read_schedule`.
        found: its next runs.
    """
    if schedule.problem:
        return f"no runs but manual ones: {schedule.problem}"
    if schedule.cron is None:
        return "no runs but manual ones: WORKFLOW_SCHEDULE is empty or 'manual'"
    zone = ZoneInfo(schedule.timezone)
    lines = [f"schedule  {schedule.cron} in {schedule.timezone}"]
    lines += [f"next      {run.astimezone(zone):%a %Y-%m-%d %H:%M %Z}   {run:%Y-%m-%d %H:%M} UTC" for run in found.runs]
    if not found.runs:
        lines.append(f"next      none: on every such day of the next {_HORIZON.days} the exchange is closed")
    lines += [f"left out  {day:%a %Y-%m-%d}, the exchange is closed" for day in found.closed[:5]]
    return "\n".join(lines)


def as_json(schedule: Schedule, found: NextRuns) -> str:
    """Describe the next runs to a machine.

    Args:
        schedule: read by `read_schedule`.
        found: its next runs.
    """
    zone = ZoneInfo(schedule.timezone)
    runs = [{"local": run.astimezone(zone).isoformat(), "utc": run.isoformat()} for run in found.runs]
    plain = {"schedule": schedule.cron, "timezone": schedule.timezone, "problem": schedule.problem}
    return json.dumps(plain | {"next_runs": runs, "closed": [day.isoformat() for day in found.closed]})


def main(arguments: list[str] | None = None, *, now: datetime | None = None) -> int:
    """Print the next runs.

    Returns:
        0, or 2 when the settings cannot be used or the exchange is closed whenever a run is due.
    """
    parser = argparse.ArgumentParser(prog="python -m trading.workflow.schedule", description="When the workflow runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser("show", help="print the next five runs, in local time and in UTC")
    shown.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args(arguments)
    schedule = read_schedule()
    found = next_runs(schedule, after=now or datetime.now(UTC))
    print((as_json if given.json else as_text)(schedule, found))  # noqa: T201 - the answer to the person who asked
    never = schedule.cron is not None and not found.runs
    return 2 if schedule.problem or never else 0


if __name__ == "__main__":
    sys.exit(main())
