"""Runs of the system's work: named, started, and followed to their end."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

from harness.drill.observer import RunWatch
from harness.drill.workloads.workload import TaskLogs, Workload
from harness.history.events import RunRole
from harness.history.reads import RunRead


class Runs:
    """Every run that a drill starts.

    Args:
        workload: what runs them.
    """

    def __init__(self, workload: Workload) -> None:
        self.started: list[RunWatch] = []
        self._workload = workload

    def new(self, role: RunRole) -> RunWatch:
        """Name a run; nothing happens yet."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
        watch = RunWatch(run_id=f"{role}__{stamp}_{secrets.token_hex(2)}", role=role)
        self.started.append(watch)
        return watch

    async def go(self, watch: RunWatch, limit_s: float, began: asyncio.Event | None = None) -> bool:
        """Start a run and follow it.

        Returns:
            Whether it ended within ``limit_s``.
        """
        await self._workload.start(watch)
        if began is not None:
            began.set()
        try:
            async with asyncio.timeout(limit_s):
                await self._workload.follow(watch)
        except TimeoutError:
            return False
        return True

    async def give_up(self, watch: RunWatch) -> None:
        """End a run that has not ended in time."""
        await self._workload.give_up(watch)

    async def require_whole(self) -> None:
        """Wait until runs can be started."""
        await self._workload.require_whole()

    async def read(self) -> dict[str, RunRead]:
        """How every run ended, by its id."""
        return {watch.run_id: await self._workload.read(watch) for watch in self.started}

    async def logs(self) -> TaskLogs:
        """What the parts of every run have written."""
        logs: TaskLogs = {}
        for watch in self.started:
            logs |= await self._workload.logs(watch)
        return logs
