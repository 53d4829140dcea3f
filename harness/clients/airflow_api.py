"""What both versions of Airflow's stable REST API have in common: runs and tasks, under a path with the version."""

from __future__ import annotations

from urllib.parse import quote

from harness.clients.airflow import (
    ENDED,
    ImportFailure,
    ImportFailures,
    Runs,
    RunState,
    TaskInstance,
    TaskInstances,
)
from harness.clients.http import HttpApi, Unexpected, ask, ask_for

NOT_FOUND = 404
_PAGE = 100


class AirflowApi(HttpApi):
    """One Airflow, one DAG.

    Args:
        url: where the API is reached.
        version: ``v1`` or ``v2``.
        dag: the DAG's id.
    """

    def __init__(self, *, url: str, version: str, dag: str) -> None:
        super().__init__(url)
        self.dag = dag
        self._api = f"/api/{version}"
        self._dag = f"{self._api}/dags/{quote(dag, safe='')}"

    async def import_failures(self) -> list[ImportFailure]:
        """DAG files that could not be imported."""
        return (await ask_for(ImportFailures, self._client, "GET", f"{self._api}/importErrors")).import_errors

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it."""
        try:
            await ask(self._client, "PATCH", f"{self._dag}?update_mask=is_paused", json={"is_paused": False})
        except Unexpected as cause:
            if cause.status == NOT_FOUND:
                return False
            raise
        return True

    async def run_state(self, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return (await ask_for(RunState, self._client, "GET", self._run(run_id))).state

    async def tasks(self, run_id: str) -> list[TaskInstance]:
        """Every task of a run."""
        found: list[TaskInstance] = []
        while True:
            path = f"{self._run(run_id)}/taskInstances?limit={_PAGE}&offset={len(found)}"
            page = await ask_for(TaskInstances, self._client, "GET", path)
            found += page.task_instances
            if not page.task_instances or len(found) >= page.total_entries:
                return found

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
            return (await ask_for(Runs, self._client, "GET", f"{self._dag}/dagRuns?limit={_PAGE}")).dag_runs
        except Unexpected as cause:
            if cause.status == NOT_FOUND:
                return []
            raise

    async def _log(self, path: str, *, accept: str) -> str:
        """A log, in the form that is asked for; empty when there is none yet."""
        try:
            return (await ask(self._client, "GET", path, headers={"Accept": accept})).text
        except Unexpected as cause:
            if cause.status == NOT_FOUND:
                return ""
            raise

    def _run(self, run_id: str) -> str:
        return f"{self._dag}/dagRuns/{quote(run_id, safe='')}"

    def _attempt(self, run_id: str, task_id: str, attempt: int) -> str:
        return f"{self._run(run_id)}/taskInstances/{quote(task_id, safe='')}/logs/{attempt}"
