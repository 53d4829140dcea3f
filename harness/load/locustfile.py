"""The load as Locust runs it: one user who starts the workflow, waits for its end, and starts it again.

The harness writes the job and starts ``locust -f harness/load/locustfile.py --headless --job FILE``. A process of its
own, because Locust replaces the sockets of the process that imports it.
"""

from __future__ import annotations

import argparse
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import gevent
import psycopg
from locust import HttpUser, constant, events, stats, task
from locust.exception import StopUser
from psycopg.rows import dict_row

from harness.load.job import LoadJob, RunRecord

POLL_S = 0.05
REQUEST_DEADLINE_S = 10.0
CONNECT_DEADLINE_S = 5
CSV_EVERY_S = 0.2
_ENDED = ("success", "failed")
_SUCCESSFUL = range(200, 300)


# Locust's own way to set how often it writes its CSV files.
stats.CSV_STATS_INTERVAL_SEC = CSV_EVERY_S  # type: ignore[assignment]  # it is slept for, and may be a fraction


class RunNotGood(Exception):
    """A run of the workflow did not succeed; Locust counts it as a failure."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust has no annotation there
def _job_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--job", type=Path, required=True, help="The job, as the harness writes it.")


class Desk(HttpUser):
    """Starts runs of the workflow, one after the other. There is one of it, for any ``--users``."""

    fixed_count = 1
    wait_time = constant(0)

    def on_start(self) -> None:
        """Read the job."""
        self.job = LoadJob.model_validate_json(self.environment.parsed_options.job.read_bytes())
        self.dag = f"/api/{self.job.api}/dags/{quote(self.job.dag, safe='')}"
        self.left = self.job.plan.runs
        # A proxy of the environment is for the world outside, not for loopback.
        self.client.trust_env = False
        if self.job.api == "v1":
            self.client.auth = (self.job.username, self.job.password)

    @task
    def workflow_run(self) -> None:
        """One run, from the request to its end; after the last one, Locust quits."""
        if not self.left:
            # Not here, for quitting ends this greenlet as well; and not before the last run stands in the CSV files.
            gevent.spawn_later(2 * CSV_EVERY_S, self.environment.runner.quit)
            raise StopUser
        self.left -= 1
        run_id = f"load__{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}_{secrets.token_hex(2)}"
        began_at, began_s = datetime.now(UTC), time.monotonic()
        state, cause = self._go(run_id, began_s + self.job.plan.run_limit_s)
        took_s = round(time.monotonic() - began_s, 3)
        outcome, doubt = self._outcome(run_id)
        record = RunRecord(
            run_id=run_id, began_at=began_at, took_s=took_s, state=state, outcome=outcome, cause=cause or doubt
        )
        with self.job.records.open("a", encoding="utf-8") as file:
            file.write(record.model_dump_json() + "\n")
        events.request.fire(  # type: ignore[no-untyped-call]  # Locust has no annotation there
            request_type="RUN",
            name="workflow run",
            response_time=took_s * 1000,
            response_length=0,
            exception=None if record.succeeded else RunNotGood(record.cause),
            context={},
        )

    def _go(self, run_id: str, gives_up_at_s: float) -> tuple[str | None, str]:
        """Start a run and follow it to its end: its state, or why there is none."""
        if problem := self._log_in():
            return None, problem
        body: dict[str, object] = {"dag_run_id": run_id, "conf": {"symbols": self.job.plan.symbols}}
        if self.job.api == "v2":
            # Demanded there, and not allowed to be null in v1.
            body["logical_date"] = None
        status, _ = self._ask("POST", f"{self.dag}/dagRuns", "start a run", body)
        if status not in _SUCCESSFUL:
            return None, f"the run could not be started: Airflow's API answers {status or 'nothing'}"
        path = f"{self.dag}/dagRuns/{quote(run_id, safe='')}"
        while time.monotonic() < gives_up_at_s:
            status, answer = self._ask("GET", path, "look at a run")
            if status in _SUCCESSFUL and (state := answer.get("state")) in _ENDED:
                return str(state), "" if state == "success" else f"Airflow has the run as {state}"
            gevent.sleep(POLL_S)
        # Only one run may be active: the next would wait behind this one.
        self._ask("PATCH", f"{path}?update_mask=state", "give a run up", {"state": "failed"})
        return None, f"it had not ended after {self.job.plan.run_limit_s:g} s, and was given up"

    def _log_in(self) -> str:
        if self.job.api == "v2" and "Authorization" not in self.client.headers:
            body = {"username": self.job.username, "password": self.job.password}
            status, answer = self._ask("POST", "/auth/token", "log in", body)
            if status not in _SUCCESSFUL:
                return f"no log-in is possible: Airflow's API answers {status or 'nothing'}"
            self.client.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return ""

    def _ask(self, method: str, path: str, name: str, body: object = None) -> tuple[int, dict[str, object]]:
        """Ask Airflow's API: the status (0 when no answer came) and the answer."""
        response = self.client.request(method, path, name=name, json=body, timeout=REQUEST_DEADLINE_S)
        if response.status_code not in _SUCCESSFUL:
            return response.status_code, {}
        answer = response.json()
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _outcome(self, run_id: str) -> tuple[str | None, str]:
        """What the system itself says of a run, or what is wrong about that."""
        try:
            with psycopg.connect(
                self.job.dsn, connect_timeout=CONNECT_DEADLINE_S, row_factory=dict_row, autocommit=True
            ) as connection:
                rows = connection.execute(self.job.outcome_sql.encode()).fetchall()
        except psycopg.Error as error:
            return None, f"what the system says of the run cannot be read: {error}".strip()
        row = next((row for row in rows if row["execution_id"] == run_id), None)
        if row is None:
            return None, "the system says nothing of the run"
        outcome = str(row["outcome"])
        return outcome, "" if outcome == "success" else f"the system says that the run is {outcome}: {row['reasons']}"
