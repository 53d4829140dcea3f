"""The DAG as Airflow reads it: nine tasks, their edges, and nothing heavy loaded for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

_DAG = Path(__file__).parents[2] / "trading" / "dags" / "ibkr_trading_signal_workflow.py"

SCHEDULES = ("0 9 * * 1-5", "manual", "61 * * * *")

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
        "heavy": sorted({{"ib_insync", "pandas", "matplotlib"}} & set(sys.modules)),
    }}

print(json.dumps({{schedule: read(schedule) for schedule in {SCHEDULES!r}}}))
"""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The DAG by schedule, as a process of its own reads it from its file; Airflow does the same."""
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
    return cast("dict[str, dict[str, Any]]", json.loads(done.stdout.splitlines()[-1]))


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
def test_dag_stays_importable_whatever_its_schedule(
    dags: dict[str, dict[str, Any]], schedule: str, tags: list[str]
) -> None:
    """No schedule, or a wrong one: manual runs work, and a wrong one is marked."""
    assert dags[schedule]["schedule"] is None
    assert dags[schedule]["tags"] == tags
