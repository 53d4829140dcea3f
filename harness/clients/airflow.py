"""What a drill asks of an Airflow, and what it answers, whichever version of its stable REST API it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from harness.clients.http import HttpApi, Unexpected, ask, ask_for
from harness.validated import Answer

ENDED = frozenset({"success", "failed"})
_NOT_FOUND = 404
_PAGE = 100


class Token(Answer):
    """The answer to a login."""

    access_token: str


class RunState(Answer):
    """A run, as the API has it; times are None before it starts, ends, or where it has none."""

    dag_run_id: str
    state: str
    run_type: str = ""
    logical_date: datetime | None = None
    queued_at: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None


class Runs(Answer):
    """Some runs of a DAG."""

    dag_runs: list[RunState]


class TaskInstance(Answer):
    """A task of a run, as the API has it; ``state`` and times are None before it is scheduled, starts, ends."""

    task_id: str
    state: str | None
    try_number: int
    start_date: datetime | None = None
    end_date: datetime | None = None


class TaskInstances(Answer):
    """Some tasks of a run; ``total_entries`` is how many there are."""

    task_instances: list[TaskInstance]
    total_entries: int = 0


class _Part(Answer):
    status: str | None = None


class Health(Answer):
    """Which of Airflow's parts are alive."""

    metadatabase: _Part
    scheduler: _Part
    dag_processor: _Part = _Part()

    @property
    def sick(self) -> list[str]:
        """The parts that are not healthy."""
        parts = {"metadatabase": self.metadatabase, "scheduler": self.scheduler, "dag-processor": self.dag_processor}
        return [f"{name} is {part.status or 'unknown'}" for name, part in parts.items() if part.status != "healthy"]


class ImportFailure(Answer):
    """A DAG file that could not be imported."""

    filename: str | None = None
    stack_trace: str | None = None


class ImportFailures(Answer):
    """DAG files that could not be imported."""

    import_errors: list[ImportFailure]


class Airflow(HttpApi, ABC):
    """One Airflow, one DAG; what differs between the versions is left to each.

    Args:
        url: where the API is reached.
        dag: the DAG's id.
    """

    version: ClassVar[str]
    """The API's version, as its paths have it."""

    def __init__(self, *, url: str, dag: str) -> None:
        super().__init__(url)
        self.dag = dag
        self._api = f"/api/{self.version}"
        self._dag = f"{self._api}/dags/{quote(dag, safe='')}"

    @abstractmethod
    async def log_in(self) -> None:
        """Make sure that later calls are allowed."""

    @abstractmethod
    async def health(self) -> Health:
        """Which parts are alive."""

    @abstractmethod
    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run."""

    @abstractmethod
    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""

    @abstractmethod
    async def task_log(self, run_id: str, task_id: str, attempt: int) -> str:
        """The log of one attempt of a task, one JSON object a line; empty before it started."""

    async def import_failures(self) -> list[ImportFailure]:
        """DAG files that could not be imported."""
        return (await ask_for(ImportFailures, self._client, "GET", f"{self._api}/importErrors")).import_errors

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it."""
        try:
            await ask(self._client, "PATCH", f"{self._dag}?update_mask=is_paused", json={"is_paused": False})
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return False
            raise
        return True

    async def run_state(self, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""
        return (await self.run(run_id)).state

    async def run(self, run_id: str) -> RunState:
        """A run."""
        return await ask_for(RunState, self._client, "GET", self._run(run_id))

    async def runs(self) -> list[RunState]:
        """The runs of the DAG, the first hundred of them."""
        return await self._some_runs()

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
            if cause.status == _NOT_FOUND:
                return []
            raise

    async def _log(self, path: str, *, accept: str) -> str:
        """A log, in the form that is asked for; empty when there is none yet."""
        try:
            return (await ask(self._client, "GET", path, headers={"Accept": accept})).text
        except Unexpected as cause:
            if cause.status == _NOT_FOUND:
                return ""
            raise

    def _run(self, run_id: str) -> str:
        return f"{self._dag}/dagRuns/{quote(run_id, safe='')}"

    def _attempt(self, run_id: str, task_id: str, attempt: int) -> str:
        return f"{self._run(run_id)}/taskInstances/{quote(task_id, safe='')}/logs/{attempt}"
