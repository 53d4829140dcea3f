"""Airflow 3's stable REST API, v2.

Source: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from harness.clients.airflow import Airflow, Health, Token
from harness.clients.http import Unexpected, ask, ask_for

_UNAUTHORIZED = 401


class AirflowV2(Airflow):
    """One Airflow 3, one DAG.

    Args:
        url: where the api-server is reached.
        username: a user who may do everything.
        password: that user's password.
        dag: the DAG's id.
    """

    version = "v2"

    def __init__(self, *, url: str, username: str, password: str, dag: str) -> None:
        super().__init__(url=url, dag=dag)
        self._username = username
        self._password = password

    async def log_in(self) -> None:
        """Get a token for all later calls."""
        body = {"username": self._username, "password": self._password}
        token = await ask_for(Token, self._client, "POST", "/auth/token", json=body)
        self._client.headers["Authorization"] = f"Bearer {token.access_token}"

    async def health(self) -> Health:
        """Which parts are alive (needs no token)."""
        return await ask_for(Health, self._client, "GET", f"{self._api}/monitor/health")

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it. A token that has run out is renewed."""
        try:
            return await super().dag_is_known()
        except Unexpected as cause:
            if cause.status != _UNAUTHORIZED:
                raise
        await self.log_in()
        return False

    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run."""
        body = {"logical_date": None, "dag_run_id": run_id, "conf": conf}
        await ask(self._client, "POST", f"{self._dag}/dagRuns", json=body)

    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""
        await ask(self._client, "PATCH", f"{self._run(run_id)}?update_mask=state", json={"state": "failed"})

    async def task_log(self, run_id: str, task_id: str, attempt: int) -> str:
        """The log of one attempt of a task, one JSON object a line; empty before it started."""
        # Streamed whole in this form: the continuation token that it bears is for those who follow a live log.
        return await self._log(self._attempt(run_id, task_id, attempt), accept="application/x-ndjson")
