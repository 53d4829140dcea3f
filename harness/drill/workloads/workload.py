"""What runs the system's work in a drill: runs are named, started, and followed to their end, one after the other."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from datetime import UTC, datetime

from harness.drill.observer import Observer, RunWatch
from harness.history.reads import OtherRun, RunRead, TaskRead
from harness.history.roles import RunRole

TaskLogs = dict[tuple[str, str], str]
"""The text of each task's log, by run and task, all attempts one after the other."""


class Workload(ABC):
    """The runs of one drill.

    As it stands, it is one whose runs the harness makes itself: it does their work while it follows them, and knows how
    they ended. One that another program runs (Airflow) asks that program.

    Args:
        observer: is told of every state.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._named: list[RunWatch] = []
        self.symbols: tuple[str, ...] = ()
        self._started_at: dict[str, datetime] = {}
        self._ended_at: dict[str, datetime] = {}

    def new(self, role: RunRole) -> RunWatch:
        """Name a run; nothing happens yet."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
        watch = RunWatch(run_id=f"{role}__{stamp}_{secrets.token_hex(2)}", role=role)
        self._named.append(watch)
        return watch

    async def go(self, watch: RunWatch, limit_s: float, began: asyncio.Event | None = None) -> bool:
        """Start a run and follow it.

        Args:
            watch: the run.
            limit_s: seconds until it is followed no more.
            began: is set once it has started.

        Returns:
            Whether it ended within ``limit_s``.
        """
        self._started_at[watch.run_id] = datetime.now(UTC)
        await self.start(watch)
        if began is not None:
            began.set()
        try:
            async with asyncio.timeout(limit_s):
                await self.follow(watch)
        except TimeoutError:
            return False
        finally:
            self._ended_at[watch.run_id] = datetime.now(UTC)
        return True

    async def read_all(self) -> dict[str, RunRead]:
        """How every run ended, by its id."""
        return {watch.run_id: await self.read(watch) for watch in self._named}

    def observed(self) -> dict[str, RunRead]:
        """How every run went as far as it was observed: all there is when what ran it cannot be asked any more."""
        return {
            watch.run_id: RunRead(
                run_id=watch.run_id,
                role=watch.role,
                state=watch.state,
                symbols=self.symbols,
                tasks=tuple(TaskRead(name, state, attempt) for name, (state, attempt) in watch.tasks.items()),
            )
            for watch in self._named
        }

    async def other_runs(self) -> tuple[OtherRun, ...] | None:
        """The runs that the harness did not start; None where nothing can tell."""
        return None

    async def logs_of_all(self) -> TaskLogs:
        """What the parts of every run have written."""
        logs: TaskLogs = {}
        for watch in self._named:
            logs |= await self.logs(watch)
        return logs

    async def require_whole(self) -> None:  # noqa: B027 - most need nothing here
        """Wait until runs can be started: at once, where the services are all that it takes.

        Raises:
            NotSteady: that will never be.
            DeadlineExceeded: it did not come to it in time.
        """

    async def start(self, watch: RunWatch) -> None:  # noqa: B027 - most need nothing here
        """Start a run; nothing, where the work is done as it is followed."""

    @abstractmethod
    async def follow(self, watch: RunWatch) -> None:
        """Note what becomes of a run, to its end."""

    async def give_up(self, watch: RunWatch) -> None:  # noqa: B027 - most need nothing here
        """End a run that has not ended in time; nothing, where its work has stopped with the following."""

    async def read(self, watch: RunWatch) -> RunRead:
        """How a run ended, as it was observed or by the word of what ran it.

        One that was given up has ended when that was done; its state is the last that was known.
        """
        return RunRead(
            run_id=watch.run_id,
            role=watch.role,
            state=watch.state,
            symbols=(),
            tasks=self.parts(watch),
            started_at=self._started_at.get(watch.run_id),
            ended_at=self._ended_at.get(watch.run_id),
        )

    def parts(self, watch: RunWatch) -> tuple[TaskRead, ...]:
        """How the parts of a run ended, where it has parts that store something by themselves."""
        del watch
        return ()

    async def logs(self, watch: RunWatch) -> TaskLogs:
        """What the parts of a run have written, if anything."""
        del watch
        return {}
