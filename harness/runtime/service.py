"""One running service, as a fault takes hold of it: whichever runtime started it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.runtime.session.undo_log import UndoStep


class ServiceState(StrEnum):
    """What a service does, by the word of the kernel or the engine."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class RunningService(Protocol):
    """A service that can be taken down and brought back. Its links' proxies stay up meanwhile."""

    name: str

    async def state(self) -> ServiceState:
        """What it does now."""

    async def kill(self) -> None:
        """End it at once, with everything that it started (SIGKILL); it stays down."""

    async def stop(self) -> None:
        """Ask it to end, and kill what is left after its grace period; it stays down."""

    async def start(self) -> None:
        """Start one that is down, with the state that it left, and wait until it is ready."""

    async def pause(self) -> None:
        """Freeze it whole: its connections stay open, and it answers nothing."""

    async def resume(self) -> None:
        """Let a frozen one go on."""

    async def pids(self) -> frozenset[int]:
        """The ids of its processes, as this machine has them; none where they are another machine's.

        Raises:
            HarnessError: they cannot be told.
        """

    async def execute(self, argv: Sequence[str], output: Path) -> int:
        """Run a command where the service runs, with its environment, to the command's end.

        When cancelled, it is ended with everything that it started; in a container that stands still under a fault, by
        ``end_commands``.

        Args:
            argv: the command; no shell reads it.
            output: the file for what it writes.

        Returns:
            Its exit code.

        Raises:
            HarnessError: it could not be run at all.
        """

    async def end_commands(self) -> None:
        """End what is left of commands that were given up; to be called once no fault is on the service.

        Raises:
            HarnessError: it took a new start of the service.
        """

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What gives it back its limits and has it run, if the harness died; none where it goes with the session."""
