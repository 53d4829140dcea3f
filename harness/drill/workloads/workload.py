"""What a drill needs of whatever runs the system's work."""

from __future__ import annotations

from typing import Protocol

from harness.drill.observer import RunWatch
from harness.history.reads import RunRead

TaskLogs = dict[tuple[str, str], str]
"""The text of each task's log, by run and task, all attempts one after the other."""


class Workload(Protocol):
    """Runs, one after the other."""

    async def require_whole(self) -> None:
        """Wait until runs can be started.

        Raises:
            NotSteady: that will never be.
            DeadlineExceeded: it did not come to it in time.
        """

    async def start(self, watch: RunWatch) -> None:
        """Start a run."""

    async def follow(self, watch: RunWatch) -> None:
        """Note what becomes of a run, to its end."""

    async def give_up(self, watch: RunWatch) -> None:
        """End a run that has not ended in time, for it would hold up the next one."""

    async def read(self, watch: RunWatch) -> RunRead:
        """How a run ended, by the word of whoever ran it."""

    async def logs(self, watch: RunWatch) -> TaskLogs:
        """What the parts of a run have written."""
