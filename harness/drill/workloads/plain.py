"""What runs that the harness makes itself have in common: nobody else needs to be asked about them."""

from __future__ import annotations

import asyncio

from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.workload import TaskLogs
from harness.history.reads import RunRead


class PlainRuns:
    """Runs whose state only the harness knows; ``follow`` does their work.

    Args:
        observer: is told of every state.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def require_whole(self) -> None:
        """Nothing to wait for: the services are ready."""

    async def start(self, watch: RunWatch) -> None:
        """Nothing: the work is done as it is followed."""

    async def give_up(self, watch: RunWatch) -> None:
        """Nothing: whoever stopped following has stopped the work."""

    async def read(self, watch: RunWatch) -> RunRead:
        """How a run ended, as it was seen."""
        return RunRead(run_id=watch.run_id, role=watch.role, state=watch.state, symbols=(), tasks=())

    async def logs(self, watch: RunWatch) -> TaskLogs:
        """There are none."""
        del watch
        return {}


class WaitRuns(PlainRuns):
    """A run is a time in which the system is left to itself.

    Args:
        for_s: how long.
        observer: is told of every state.
    """

    def __init__(self, for_s: float, observer: Observer) -> None:
        super().__init__(observer)
        self._for_s = for_s

    async def follow(self, watch: RunWatch) -> None:
        """Let the time pass."""
        await self._observer.note_state(watch, "running")
        await asyncio.sleep(self._for_s)
        await self._observer.note_state(watch, "success")
