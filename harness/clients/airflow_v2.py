"""Airflow 3's stable REST API, v2.

Source: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from urllib.parse import quote

from harness.clients.airflow import (
    ENDED,
    Health,
    ImportFailure,
    ImportFailures,
    Runs,
    RunState,
    TaskInstance,
    TaskInstances,
    Token,
)
from harness.clients.http import HttpApi, Unexpected, ask, ask_for

_NOT_FOUND = 404
_UNAUTHORIZED = 401


class AirflowV2(HttpApi):
    """One Airflow, one DAG.

    Args:
        url: where the api-server is reached.
        username: a user who may do everything.
        password: that user's password.
        dag: the DAG's id.
    """

    def __init__(self, *, url: str, username: str, password: str, dag: str) -> None:
        super().__init__(url)
        self._username = username
        self._password = password
        self._dag = f"/api/v2/dags/{quote(dag, safe='')}"
        self.dag = dag

    async def log_in(self) -> None:
        """Get a token for all later calls."""
        body = {"username": self._username, "password": self._password}
        token = await ask_for(Token, self._client, "POST", "/auth/token", json=body)
        self._client.headers["Authorization"] = f"Bearer {token.access_token}"

    async def health(self) -> Health:
        """Which parts are alive (needs no token)."""
        return await ask_for(Health, self._client, "GET", "/api/v2/monitor/health")

    async def import_failures(self) -> list[ImportFailure]:
        """DAG files that could not be imported."""
        return (await ask_for(ImportFailures, self._client, "GET", "/api/v2/importErrors")).import_errors

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it."""
        try:
            await ask(self._client, "PATCH", f"{self._dag}?update_mask=is_paused", json={"is_paused": False})
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return False
            if cause.status == _UNAUTHORIZED:
                await self.log_in()
                return False
            raise
        return True

    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run."""
        await ask(
            self._client,
            "POST",
            f"{self._dag}/dagRuns",
            json={"logical_date": None, "dag_run_id": run_id, "conf": conf},
        )

    async def run_state(self, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return (await ask_for(RunState, self._client, "GET", self._run(run_id))).state

    async def tasks(self, run_id: str) -> list[TaskInstance]:
        """Every task of a run."""
        return (
            await ask_for(TaskInstances, self._client, "GET", f"{self._run(run_id)}/taskInstances?limit=100")
        ).task_instances

    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""
        await ask(self._client, "PATCH", f"{self._run(run_id)}?update_mask=state", json={"state": "failed"})

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
        path = f"{self._run(run_id)}/taskInstances/{quote(task_id, safe='')}/logs/{attempt}"
        try:
            # Streamed whole in this form: the continuation token that it bears is for those who follow a live log.
            page = await ask(self._client, "GET", path, headers={"Accept": "application/x-ndjson"})
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return ""
            raise
        return page.text

    def _run(self, run_id: str) -> str:
        return f"{self._dag}/dagRuns/{quote(run_id, safe='')}"
