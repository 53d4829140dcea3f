"""A run is a time in which the system is left to itself."""

from __future__ import annotations

import asyncio

from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.workload import Workload


class WaitRuns(Workload):
    """Times in which the system is left to itself.

    Args:
        for_s: how long each lasts, in seconds.
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
