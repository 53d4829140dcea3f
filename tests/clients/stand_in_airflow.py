"""Airflow 2's stable REST API, as far as a drill asks it, answering as its documentation says.

Source: https://airflow.apache.org/docs/apache-airflow/2.10.5/stable-rest-api-ref.html
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import parse_qs

from tests.clients.answering import Asked, Said

DAG = "trade"
LOG = """\
worker-1
*** Found local files:
[2026-11-24T09:00:01.250+0000] {trade.py:12} INFO - backend refused the connection
Traceback (most recent call last):
[2026-11-24T09:00:02.500+0000] {taskinstance.py:340} ERROR - Task failed
"""
_MOST_A_PAGE = 100
_LOGIN = "Basic " + base64.b64encode(b"admin:secret").decode()
_PROBLEM = {"detail": None, "status": 0, "title": "", "type": "about:blank"}


class StandInAirflow:
    """One DAG, and its runs."""

    def __init__(self, *, dag_processor: str | None = None) -> None:
        self.mapped = 0
        self.runs: dict[str, str] = {}
        self.confs: dict[str, object] = {}
        self.paused = True
        self._dag_processor = dag_processor

    def __call__(self, asked: Asked) -> Said:
        """Answer one request."""
        path, _, query = asked.path.partition("?")
        if path == "/api/v1/health":
            return Said(200, self._health())
        if asked.headers.get("Authorization") != _LOGIN:
            return Said(401, _PROBLEM | {"status": 401, "title": "Unauthorized"})
        if path == "/api/v1/importErrors":
            return Said(
                200,
                {
                    "import_errors": [{"import_error_id": 1, "filename": "bad.py", "stack_trace": "boom"}],
                    "total_entries": 1,
                },
            )
        if match := re.fullmatch(rf"/api/v1/dags/{DAG}(?:/dagRuns(?:/(?P<run>[^/]+)(?P<rest>/.*)?)?)?", path):
            return self._dag(asked, match["run"], match["rest"] or "", query, is_dag="/dagRuns" not in path)
        return Said(404, _PROBLEM | {"status": 404, "title": "DAG not found"})

    def _health(self) -> dict[str, object]:
        return {
            "metadatabase": {"status": "healthy"},
            "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": "2026-11-24T09:00:00+00:00"},
            "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
            "dag_processor": {"status": self._dag_processor, "latest_dag_processor_heartbeat": None},
        }

    def _dag(self, asked: Asked, run: str | None, rest: str, query: str, *, is_dag: bool) -> Said:
        body = json.loads(asked.body) if asked.body else {}
        if is_dag:
            assert (asked.method, query) == ("PATCH", "update_mask=is_paused")
            self.paused = body["is_paused"]
            return Said(200, {"dag_id": DAG, "is_paused": self.paused})
        if run is None:
            return self._runs(asked, body)
        if run not in self.runs:
            return Said(404, _PROBLEM | {"status": 404, "title": "DAGRun not found"})
        if rest:
            return self._tasks(asked, run, rest, query)
        match asked.method:
            case "DELETE":
                del self.runs[run]
                return Said(204, "")
            case "PATCH":
                assert set(body) == {"state"}
                self.runs[run] = body["state"]
        return Said(200, self._run(run))

    def _runs(self, asked: Asked, body: dict[str, object]) -> Said:
        if asked.method == "POST":
            # As documented: a logical date may be left out, and may not be null.
            if "logical_date" in body:
                return Said(400, _PROBLEM | {"status": 400, "title": "None is not of type 'string' - 'logical_date'"})
            run = str(body["dag_run_id"])
            if run in self.runs:
                return Said(409, _PROBLEM | {"status": 409, "title": "Conflict"})
            self.runs[run], self.confs[run] = "queued", body["conf"]
            return Said(200, self._run(run))
        runs = [self._run(run) for run in self.runs]
        return Said(200, {"dag_runs": runs, "total_entries": len(runs)})

    def _run(self, run: str) -> dict[str, object]:
        return {"dag_id": DAG, "dag_run_id": run, "state": self.runs[run], "conf": {}, "run_type": "manual"}

    def _tasks(self, asked: Asked, run: str, rest: str, query: str) -> Said:
        if rest == "/taskInstances":
            task = {"task_id": "draw", "dag_id": DAG, "dag_run_id": run, "state": "success", "try_number": 1}
            times = {"start_date": "2026-11-24T09:00:01+00:00", "end_date": "2026-11-24T09:00:03+00:00"}
            later = {"task_id": "store", "state": None, "try_number": 0, "start_date": None, "end_date": None}
            every = [
                task | times,
                later,
                *(later | {"task_id": "each", "map_index": nth} for nth in range(self.mapped)),
            ]
            asks = parse_qs(query)
            first, most = int(asks.get("offset", ["0"])[0]), min(int(asks.get("limit", ["100"])[0]), _MOST_A_PAGE)
            return Said(200, {"task_instances": every[first : first + most], "total_entries": len(every)})
        if rest == "/taskInstances/draw/logs/1" and query == "full_content=true":
            assert asked.headers["Accept"] == "text/plain"
            return Said(200, LOG)
        return Said(404, _PROBLEM | {"status": 404, "title": "TaskInstance not found"})
