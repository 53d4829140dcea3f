"""Airflow 2's stable REST API, v1, with basic authentication.

Source: https://airflow.apache.org/docs/apache-airflow/2.10.5/stable-rest-api-ref.html
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from urllib.parse import quote

import httpx

from harness.clients.airflow import (
    ENDED,
    Health,
    ImportFailure,
    ImportFailures,
    Runs,
    RunState,
    TaskInstance,
    TaskInstances,
)
from harness.clients.http import HttpApi, Unexpected, ask, ask_for

_NOT_FOUND = 404
# How Airflow 2 begins a line of a task's log: "[2026-11-24T09:00:01.123+0000] {dag.py:12} INFO - ".
_LINE = re.compile(r"\[(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:[+-]\d{4}|Z)?)\] ")


class AirflowV1(HttpApi):
    """One Airflow, one DAG.

    Args:
        url: where the webserver is reached.
        username: a user who may do everything; ``auth_backends`` has to name basic authentication.
        password: that user's password.
        dag: the DAG's id.
    """

    def __init__(self, *, url: str, username: str, password: str, dag: str) -> None:
        super().__init__(url)
        self._client.auth = httpx.BasicAuth(username, password)
        self._dag = f"/api/v1/dags/{quote(dag, safe='')}"
        self.dag = dag

    async def log_in(self) -> None:
        """Nothing: every call bears name and password."""

    async def health(self) -> Health:
        """Which parts are alive; where no DAG processor runs by itself, the scheduler does its work."""
        health = await ask_for(Health, self._client, "GET", "/api/v1/health")
        if health.dag_processor.status is None:
            return health.model_copy(update={"dag_processor": health.scheduler})
        return health

    async def import_failures(self) -> list[ImportFailure]:
        """DAG files that could not be imported."""
        return (await ask_for(ImportFailures, self._client, "GET", "/api/v1/importErrors")).import_errors

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it."""
        try:
            await ask(self._client, "PATCH", f"{self._dag}?update_mask=is_paused", json={"is_paused": False})
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return False
            raise
        return True

    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run; its logical date, which may not be null here, is left to Airflow."""
        await ask(self._client, "POST", f"{self._dag}/dagRuns", json={"dag_run_id": run_id, "conf": conf})

    async def run_state(self, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return (await ask_for(RunState, self._client, "GET", self._run(run_id))).state

    async def tasks(self, run_id: str) -> list[TaskInstance]:
        """Every task of a run."""
        path = f"{self._run(run_id)}/taskInstances?limit=100"
        return (await ask_for(TaskInstances, self._client, "GET", path)).task_instances

    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""
        await ask(self._client, "PATCH", self._run(run_id), json={"state": "failed"})

    async def unended_runs(self) -> list[str]:
        """The ids of the runs that have not ended."""
        return [run.dag_run_id for run in await self._some_runs() if run.state not in ENDED]

    async def forget_runs(self) -> None:
        """Delete every run of the DAG, with its tasks; a DAG that has not been parsed yet has none."""
        while runs := await self._some_runs():
            for run in runs:
                await ask(self._client, "DELETE", self._run(run.dag_run_id))

    async def _some_runs(self) -> list[RunState]:
        try:
            return (await ask_for(Runs, self._client, "GET", f"{self._dag}/dagRuns?limit=100")).dag_runs
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return []
            raise

    async def task_log(self, run_id: str, task_id: str, attempt: int) -> str:
        """The log of one attempt of a task, one JSON object a line; empty before it started."""
        path = f"{self._run(run_id)}/taskInstances/{quote(task_id, safe='')}/logs/{attempt}?full_content=true"
        try:
            text = (await ask(self._client, "GET", path, headers={"Accept": "text/plain"})).text
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return ""
            raise
        return as_json_lines(text)

    def _run(self, run_id: str) -> str:
        return f"{self._dag}/dagRuns/{quote(run_id, safe='')}"


def as_json_lines(text: str) -> str:
    """A plain log as Airflow 3 has it: one JSON object a line, each with the last time that was told."""
    at: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if match := _LINE.match(line):
            at = datetime.fromisoformat(match["at"]).isoformat()
        lines.append(json.dumps({"timestamp": at, "event": line}, ensure_ascii=False) + "\n")
    return "".join(lines)
