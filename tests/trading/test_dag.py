"""The DAG as Airflow reads it: nine tasks, their edges, and nothing heavy loaded for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest

from trading.workflow.schedule import ScheduleSettings, read_schedule

_DAG = Path(__file__).parents[2] / "trading" / "dags" / "ibkr_trading_signal_workflow.py"

SCHEDULES = ("0 9 * * 1-5", "manual", "61 * * * *")

# Around both changes of the clock in New York, and with all that cron can say.
TICKS = (
    ("0 9 * * 1-5", "2026-03-05T00:00-05:00"),
    ("0 9 * * 1-5", "2026-10-29T00:00-04:00"),
    ("30 2 * * *", "2026-03-07T00:00-05:00"),
    ("30 1 * * *", "2026-10-31T00:00-04:00"),
    ("15,45 * * * *", "2026-10-31T23:50-04:00"),
    ("15,45 * * * *", "2026-03-08T00:50-05:00"),
    ("*/20 0-3 * * *", "2026-10-31T23:50-04:00"),
    ("0 9 L * *", "2026-01-30T12:00-05:00"),
    ("0 9 1 * fri", "2026-01-30T12:00-05:00"),
    ("30 15 * * 5#2", "2026-01-30T12:00-05:00"),
    ("0 9 29 2 *", "2026-01-30T12:00-05:00"),
)
TICKS_EACH = 12

_READ = f"""
import json, os, runpy, sys

def read(schedule):
    os.environ["WORKFLOW_SCHEDULE"] = schedule
    dag = runpy.run_path({str(_DAG)!r})["dag"]
    return {{
        "dag_id": dag.dag_id,
        "edges": {{task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}},
        "timeouts": all(task.execution_timeout for task in dag.tasks),
        "last_rule": str(dag.get_task("finalize").trigger_rule).lower(),
        "schedule": getattr(dag.timetable, "expression", None),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "tags": sorted(dag.tags),
        "max_failed_runs": dag.max_consecutive_failed_dag_runs,
        "called_back": [dag.on_failure_callback.__name__, dag.get_task("finalize").on_failure_callback[0].__name__],
        "params": {{name: param.schema["type"] for name, param in dag.params.items()}},
        "defaults": dag.params.dump(),
        "heavy": sorted({{"ib_insync", "pandas", "matplotlib"}} & set(sys.modules)),
    }}

def ticks(cron, after):
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.trigger import CronTriggerTimetable
    from pendulum import parse

    timetable = CronTriggerTimetable(cron, timezone="America/New_York")
    restriction = TimeRestriction(earliest=parse(after), latest=None, catchup=True)
    found, interval = [], None
    for _ in range({TICKS_EACH}):
        info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        found.append(info.run_after.isoformat())
        interval = info.data_interval
    return found

dags = {{schedule: read(schedule) for schedule in {SCHEDULES!r}}}
print(json.dumps({{"dags": dags, "ticks": [ticks(*each) for each in {TICKS!r}]}}))
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of its own reads from the DAG's file, as Airflow does, and when Airflow would start its runs."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _READ],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "PYTHONPATH": str(_DAG.parents[2]),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return cast("dict[str, Any]", json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def dags(read: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The DAG by schedule."""
    return cast("dict[str, dict[str, Any]]", read["dags"])


def test_dag_has_nine_tasks_in_their_order(dags: dict[str, dict[str, Any]]) -> None:
    """The tasks and edges of the contract, no more and no less, each with a limit in time."""
    dag = dags["0 9 * * 1-5"]
    assert dag["dag_id"] == "ibkr_trading_signal_workflow"
    assert dag["edges"] == {
        "preflight": ["fetch_market_data"],
        "fetch_market_data": ["generate_daily_chart", "generate_weekly_chart"],
        "generate_daily_chart": ["analyze_with_llm"],
        "generate_weekly_chart": ["analyze_with_llm"],
        "analyze_with_llm": ["place_order"],
        "place_order": ["get_trades"],
        "get_trades": ["get_portfolio"],
        "get_portfolio": ["finalize"],
        "finalize": [],
    }
    assert dag["timeouts"]
    assert dag["last_rule"].endswith("all_done")
    assert (dag["schedule"], dag["catchup"], dag["max_active_runs"]) == ("0 9 * * 1-5", False, 1)
    assert dag["heavy"] == []


@pytest.mark.parametrize(
    ("schedule", "tags"), [("manual", ["trading"]), ("61 * * * *", ["schedule-invalid", "trading"])]
)
def test_dag_stays_importable_with_any_schedule(
    dags: dict[str, dict[str, Any]], schedule: str, tags: list[str]
) -> None:
    """No schedule, or a wrong one: manual runs work, and a wrong one is marked."""
    assert dags[schedule]["schedule"] is None
    assert dags[schedule]["tags"] == tags


def test_dag_shows_a_form_for_symbols_and_a_dry_run(dags: dict[str, dict[str, Any]]) -> None:
    """What can be said when a run is triggered, with defaults that change nothing, with every schedule."""
    for dag in dags.values():
        assert dag["params"] == {"symbols": "array", "dry_run": "boolean"}
        assert dag["defaults"] == {"symbols": [], "dry_run": False}


def test_dag_stops_after_failures_and_calls_back(dags: dict[str, dict[str, Any]]) -> None:
    """Airflow pauses it after the fifth failed run in a row, and calls when a run or its last task has failed."""
    dag = dags["0 9 * * 1-5"]
    assert dag["max_failed_runs"] == 5
    assert dag["called_back"] == ["_run_failed", "_finalize_failed"]


@pytest.mark.parametrize("number", range(len(TICKS)), ids=[f"{cron} after {after}" for cron, after in TICKS])
def test_shown_runs_are_those_that_airflow_starts(read: dict[str, Any], number: int) -> None:
    """What `schedule show` prints, hour by hour, is when Airflow's own timetable is due."""
    cron, after = TICKS[number]
    ours = read_schedule(ScheduleSettings(workflow_schedule=cron)).ticks(datetime.fromisoformat(after))
    airflows = [datetime.fromisoformat(moment) for moment in read["ticks"][number]]
    assert list(islice(ours, TICKS_EACH)) == airflows
