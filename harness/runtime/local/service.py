"""A service of a local stack, as a fault takes hold of it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psutil

from harness.runtime.local.process import ServiceProcess
from harness.runtime.service import ServiceState
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.waiting import until

_FREEZE_DEADLINE_S = 5.0


class LocalService:
    """A service that runs as local processes.

    Args:
        name: the service.
        process: gives its process now, which is another one after each start.
        take_down: ends the process: the stack then no longer watches it.
        start: starts it, and waits until it is ready.
        execute: runs a command as the service would be run.
    """

    def __init__(
        self,
        name: str,
        process: Callable[[], ServiceProcess],
        take_down: Callable[[Callable[[ServiceProcess], Awaitable[object]]], Awaitable[None]],
        start: Callable[[], Awaitable[None]],
        execute: Callable[[Sequence[str], Path], Awaitable[int]],
    ) -> None:
        self.name = name
        self._process = process
        self._take_down = take_down
        self._start = start
        self._execute = execute

    async def state(self) -> ServiceState:
        """What it does, by the kernel's word."""
        process = self._process()
        try:
            stopped = process.returncode is None and psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return ServiceState.ENDED
        if process.returncode is not None:
            return ServiceState.ENDED
        return ServiceState.PAUSED if stopped else ServiceState.RUNNING

    async def kill(self) -> None:
        """End it at once, with everything that it started."""
        await self._take_down(ServiceProcess.kill)

    async def stop(self) -> None:
        """Ask it to end, and kill what is left after five seconds."""
        await self._take_down(ServiceProcess.stop)

    async def start(self) -> None:
        """Start one that is down, and wait until it is ready."""
        await self._start()

    async def pause(self) -> None:
        """Freeze every process of it, and see to it that each stands still.

        Raises:
            DeadlineExceeded: the kernel did not stop one of them in time.
        """
        process = self._process()
        await until(process.freeze, what=f"every process of {self.name} to stand still", deadline_s=_FREEZE_DEADLINE_S)

    async def resume(self) -> None:
        """Let every process of it go on."""
        self._process().send(signal.SIGCONT)

    async def pids(self) -> frozenset[int]:
        """The ids of its processes."""
        return frozenset(process.pid for process in self._process().members())

    async def execute(self, argv: Sequence[str], output: Path) -> int:
        """Run a command with the service's environment, to its end; when cancelled, it is ended."""
        return await self._execute(argv, output)

    async def undo_steps(self) -> Sequence[UndoStep]:
        """None: the session's end removes it."""
        return ()
