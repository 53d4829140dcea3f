"""Airflow 2's stable REST API, v1, with basic authentication.

Source: https://airflow.apache.org/docs/apache-airflow/2.10.5/stable-rest-api-ref.html
"""

from __future__ import annotations

import json
import re
from datetime import datetime

import httpx

from harness.clients.airflow import Airflow, Health
from harness.clients.http import ask, ask_for

# How Airflow 2 begins a line of a task's log: "[2026-11-24T09:00:01.123+0000] {dag.py:12} INFO - ".
_LINE = re.compile(r"\[(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:[+-]\d{4}|Z)?)\] ")


class AirflowV1(Airflow):
    """One Airflow 2, one DAG.

    Args:
        url: where the webserver is reached.
        username: a user who may do everything; ``auth_backends`` has to name basic authentication.
        password: that user's password.
        dag: the DAG's id.
    """

    version = "v1"

    def __init__(self, *, url: str, username: str, password: str, dag: str) -> None:
        super().__init__(url=url, dag=dag)
        self._client.auth = httpx.BasicAuth(username, password)

    async def log_in(self) -> None:
        """Nothing: every call bears name and password."""

    async def health(self) -> Health:
        """Which parts are alive; where no DAG processor runs by itself, the scheduler does its work."""
        health = await ask_for(Health, self._client, "GET", f"{self._api}/health")
        if health.dag_processor.status is None:
            return health.model_copy(update={"dag_processor": health.scheduler})
        return health

    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run; its logical date, which may not be null here, is left to Airflow."""
        await ask(self._client, "POST", f"{self._dag}/dagRuns", json={"dag_run_id": run_id, "conf": conf})

    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""
        await ask(self._client, "PATCH", self._run(run_id), json={"state": "failed"})

    async def task_log(self, run_id: str, task_id: str, attempt: int) -> str:
        """The log of one attempt of a task, one JSON object a line; empty before it started."""
        path = f"{self._attempt(run_id, task_id, attempt)}?full_content=true"
        return as_json_lines(await self._log(path, accept="text/plain"))


def as_json_lines(text: str) -> str:
    """A plain log as Airflow 3 has it: one JSON object a line, each with the last time that was told."""
    at: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if match := _LINE.match(line):
            at = datetime.fromisoformat(match["at"]).isoformat()
        lines.append(json.dumps({"timestamp": at, "event": line}, ensure_ascii=False) + "\n")
    return "".join(lines)
