"""Whether the schedule is valid, and when the next run is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings
from trading.workflow.schedule import EXAMPLE, next_runs, read_schedule

FIX = f"set WORKFLOW_SCHEDULE, as in {EXAMPLE!r}, and restart the dag-processor"


async def examine(_at: Surroundings) -> Finding:
    """Read it as the DAG does, and find its next run."""
    schedule = read_schedule()
    if schedule.problem:
        return failed(f"no runs but manual ones: {schedule.problem}", FIX)
    if schedule.cron is None:
        return passed("manual runs only, as WORKFLOW_SCHEDULE says")
    found = await asyncio.to_thread(next_runs, schedule, after=datetime.now(UTC), count=1)
    said = f"{schedule.cron} in {schedule.timezone}"
    if not found.runs:
        return warned(f"{said}: the exchange is closed whenever a run is due", FIX)
    return passed(
        f"{said}; the next run is on {found.runs[0].astimezone(ZoneInfo(schedule.timezone)):%a %Y-%m-%d %H:%M %Z}"
    )
