"""What a task works with: its context, the settings, and the parties it talks to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, TypeVar

from trading.workflow.artifact import Artifact
from trading.workflow.artifact_storage import ArtifactStorage, Spooled
from trading.workflow.broker import Broker
from trading.workflow.errors import RunFailed, WorkflowError
from trading.workflow.events import get_events, redacted
from trading.workflow.local_notes import LocalNotes
from trading.workflow.notes import Kind, Note, Notes
from trading.workflow.run_database import RunDatabase
from trading.workflow.settings import WorkflowSettings, read_settings
from trading.workflow.spool import Spool
from trading.workflow.task_context import TaskContext

T = TypeVar("T")

log = get_events(__name__)


class TaskRun:
    """One task at work; an asynchronous context manager.

    Args:
        context: which task of which run.
        settings: the workflow's.
    """

    def __init__(self, context: TaskContext, settings: WorkflowSettings) -> None:
        self.context = context
        self.settings = settings
        self.spool = Spool(settings.artifact_spool_dir, max_bytes=settings.artifact_spool_max_bytes)
        self.local_notes = LocalNotes(settings.artifact_spool_dir)
        self.storage = ArtifactStorage(settings, self.spool)
        self.database = RunDatabase(settings, budget_s=settings.database_retry_s)
        self.notes = Notes(self.database, self.local_notes, context.execution_id)
        self.broker = Broker(settings)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.enter_context(self.spool)
        await self._stack.enter_async_context(self.storage)
        await self._stack.enter_async_context(self.database)
        if self.context.try_number > 1:
            await self.note("degraded", f"try {self.context.try_number}: the one before failed, or was killed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for trouble in self.broker.troubles:
                await self.note("degraded", trouble)
            # A run that failed is what the last task says by failing itself; it is no failure of its own.
            if isinstance(error, Exception) and not isinstance(error, RunFailed):
                await self.note("failed", f"{type(error).__name__}: {error}")
        finally:
            self.local_notes.count(self.context.execution_id, self.storage.metrics)
            await self._stack.aclose()

    async def store(self, artifact: Artifact) -> None:
        """Store an artifact, in the backend or in the spool; the latter is noted."""
        outcome = await self.storage.store(artifact)
        if isinstance(outcome, Spooled):
            await self.note("degraded", f"artifact {artifact.name!r} was spooled (backend: {outcome.cause})")

    async def note(self, kind: Kind, cause: str) -> None:
        """Note something that went wrong in this task."""
        written = Note(self.context.task_id, kind, redacted(" ".join(cause.split()))[:1000])
        log.warning("noted", task=written.task_id, kind=kind, cause=written.cause)
        await self.notes.write(written)


def run_task(context: TaskContext, work: Callable[[TaskRun], Awaitable[T]]) -> T:
    """Run a task's work in an event loop of its own.

    Args:
        context: which task of which run.
        work: receives what it works with.
    """
    # They write a line for each message or request, which would bury a task's own lines; and what ib_insync's client
    # calls an error is an attempt that failed, which has a line of ours.
    for library, level in (
        ("ib_insync", logging.WARNING),
        ("ib_insync.client", logging.CRITICAL),
        ("httpx", logging.WARNING),
    ):
        logging.getLogger(library).setLevel(level)

    async def main() -> T:
        async with TaskRun(context, read_settings()) as run:
            return await work(run)

    try:
        return asyncio.run(main())
    except WorkflowError as error:
        log.error("task_failed", task=context.task_id, error=f"{type(error).__name__}: {error}")  # noqa: TRY400 - its words say all
        raise
