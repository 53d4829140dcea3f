"""When the workflow runs by itself."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter  # type: ignore[import-untyped]  # Airflow's own dependency, without types
from pydantic_settings import BaseSettings, SettingsConfigDict

_MANUAL = frozenset({"", "manual", "none"})
_PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_FIELDS = 5
EXAMPLE = "0 9 * * 1-5"


class ScheduleSettings(BaseSettings):
    """The two settings that a DAG file reads; all others are read when a task starts.

    Args:
        workflow_schedule: five cron fields or a preset; empty or "manual" for no schedule.
        workflow_timezone: in which the fields are meant.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    workflow_schedule: str = EXAMPLE
    workflow_timezone: str = "America/New_York"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the workflow runs by itself.

    Args:
        cron: five fields; None for manual runs only.
        timezone: in which the fields are meant.
        problem: why the setting could not be used; empty when it could, or when none was wanted.
    """

    cron: str | None
    timezone: str
    problem: str = ""


def read_schedule(settings: ScheduleSettings | None = None) -> Schedule:
    """Read the schedule; a wrong one becomes manual-only with the problem in words, since a DAG must stay importable.

    Args:
        settings: given by tests; read from the environment when None.
    """
    given = settings or ScheduleSettings()
    text = given.workflow_schedule.strip()
    try:
        ZoneInfo(given.workflow_timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = f"WORKFLOW_TIMEZONE is {given.workflow_timezone!r}: expected a zone as in America/New_York"
        return Schedule(None, "UTC", words)
    if text.lower() in _MANUAL:
        return Schedule(None, given.workflow_timezone)
    cron = _PRESETS.get(text, text)
    if len(cron.split()) != _FIELDS or not croniter.is_valid(cron):
        expected = f"five cron fields as in {EXAMPLE!r}, a preset as in '@daily', or 'manual'"
        words = f"WORKFLOW_SCHEDULE is {text!r}: expected {expected}"
        return Schedule(None, given.workflow_timezone, words)
    return Schedule(cron, given.workflow_timezone)
