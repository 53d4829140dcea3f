"""A real Airflow that runs the workflow's DAG on the real parts of these tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import psycopg

from tests.airflow.parts import Parts as AirflowParts

DAG = "ibkr_trading_signal_workflow"
_REPOSITORY = Path(__file__).parents[2]
_ENDED = frozenset({"success", "failed"})


@dataclass
class TradingAirflow(AirflowParts):
    """The parts of an Airflow, with what the workflow needs.

    Args:
        settings: the workflow's, as environment variables.
        database_url: a database for Airflow alone.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    database_url: str = ""

    def _environment(self) -> dict[str, str]:
        sqlalchemy = self.database_url.replace("postgresql://", "postgresql+psycopg://")
        return {
            **super()._environment(),
            **self.settings,
            "AIRFLOW__CORE__DAGS_FOLDER": str(_REPOSITORY / "trading" / "dags"),
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": sqlalchemy,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": sqlalchemy,
            "PYTHONPATH": str(_REPOSITORY / "trading" / "deploy"),
        }

    def try_to_trigger(self, run: str, conf: Mapping[str, Any]) -> httpx.Response:
        """Ask for a run; the answer may be a refusal."""
        return self.call("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None, "dag_run_id": run, "conf": dict(conf)})

    def start_run(self, run: str, conf: Mapping[str, Any] | None = None) -> None:
        """Start a run, as soon as the DAG is known."""
        self.wait_for("the DAG", lambda: self.try_to_trigger(run, conf or {}).is_success)

    def set_paused(self, *, paused: bool) -> None:
        """Pause the DAG, or let it run."""
        self.wait_for("the DAG", lambda: self.call("PATCH", f"/dags/{DAG}", {"is_paused": paused}).is_success)

    def is_paused(self) -> bool:
        """Whether the DAG is paused."""
        return bool(self.call("GET", f"/dags/{DAG}").json()["is_paused"])

    def states(self, run: str) -> dict[str, str]:
        """The state of each of a run's tasks."""
        answer = self.call("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances").json()
        return {one["task_id"]: one["state"] for one in answer["task_instances"]}

    def ended(self, run: str) -> str:
        """Wait for a run's end, and return its state."""

        def state() -> str:
            return str(self.call("GET", f"/dags/{DAG}/dagRuns/{run}").json()["state"])

        self.wait_for(f"the end of {run}", lambda: state() in _ENDED)
        return state()

    def turn_into_scheduled(self, run: str, day: str) -> None:
        """Make a queued run one that the schedule named, for 14:00 UTC of a day."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            changed = connection.execute(
                "UPDATE dag_run SET run_type = 'scheduled', run_after = %(at)s, logical_date = %(at)s WHERE run_id = %(run)s",
                {"at": f"{day} 14:00+00", "run": run},
            )
            assert changed.rowcount == 1

    def kill_task(self, run: str, task_id: str, *, try_number: int) -> None:
        """Kill a task's process, without a chance to say anything, as soon as that try of it runs."""
        path = f"/dags/{DAG}/dagRuns/{run}/taskInstances/{task_id}"

        def process() -> psutil.Process | None:
            instance = self.call("GET", path).json()
            if (instance["state"], instance["try_number"]) != ("running", try_number):
                return None
            scheduler = psutil.Process(self.running["scheduler"].pid)
            found = [child for child in scheduler.children(recursive=True) if child.pid == instance["pid"]]
            return found[0] if found else None

        self.wait_for(f"try {try_number} of {task_id}", lambda: process() is not None)
        cast("psutil.Process", process()).kill()
