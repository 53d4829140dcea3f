"""What a drill asks of an Airflow, whichever version of its stable REST API it speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

ENDED = frozenset({"success", "failed"})


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Token(_Answer):
    """The answer to a login."""

    access_token: str


class RunState(_Answer):
    """A run, as the API has it."""

    dag_run_id: str
    state: str


class Runs(_Answer):
    """Some runs of a DAG."""

    dag_runs: list[RunState]


class TaskInstance(_Answer):
    """A task of a run, as the API has it; ``state`` and times are None before it is scheduled, starts, ends."""

    task_id: str
    state: str | None
    try_number: int
    scheduled_when: datetime | None = None
    queued_when: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None


class TaskInstances(_Answer):
    """Some tasks of a run; ``total_entries`` is how many there are."""

    task_instances: list[TaskInstance]
    total_entries: int = 0


class _Part(_Answer):
    status: str | None = None


class Health(_Answer):
    """Which of Airflow's parts are alive."""

    metadatabase: _Part
    scheduler: _Part
    dag_processor: _Part = _Part()

    @property
    def sick(self) -> list[str]:
        """The parts that are not healthy."""
        parts = {"metadatabase": self.metadatabase, "scheduler": self.scheduler, "dag-processor": self.dag_processor}
        return [f"{name} is {part.status or 'unknown'}" for name, part in parts.items() if part.status != "healthy"]


class ImportFailure(_Answer):
    """A DAG file that could not be imported."""

    filename: str | None = None
    stack_trace: str | None = None


class ImportFailures(_Answer):
    """DAG files that could not be imported."""

    import_errors: list[ImportFailure]


class Airflow(Protocol):
    """One Airflow, one DAG; its clients are asynchronous context managers."""

    dag: str

    async def log_in(self) -> None:
        """Make sure that later calls are allowed."""

    async def health(self) -> Health:
        """Which parts are alive."""

    async def import_failures(self) -> list[ImportFailure]:
        """DAG files that could not be imported."""

    async def dag_is_known(self) -> bool:
        """Whether the DAG has been parsed, and is not paused; unpauses it."""

    async def trigger(self, run_id: str, conf: dict[str, list[str]]) -> None:
        """Start a run."""

    async def run_state(self, run_id: str) -> str:
        """The state of a run: queued, running, success or failed."""

    async def tasks(self, run_id: str) -> list[TaskInstance]:
        """Every task of a run."""

    async def give_up(self, run_id: str) -> None:
        """Mark a run as failed, which ends its tasks."""

    async def unended_runs(self) -> list[str]:
        """The ids of the runs that have not ended."""

    async def forget_runs(self) -> None:
        """Delete every run of the DAG, with its tasks."""

    async def task_log(self, run_id: str, task_id: str, attempt: int) -> str:
        """The log of one attempt of a task, one JSON object a line; empty before it started."""
