"""A service of a local stack, as a fault takes hold of it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psutil

from harness.runtime.kept_up import KeptUp
from harness.runtime.local.process import ServiceProcess
from harness.runtime.notices import Notices
from harness.runtime.service import ServiceState
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.waiting import until
from harness.stack.restart_policy import RestartPolicy

_FREEZE_DEADLINE_S = 5.0


class LocalService:
    """A service that runs as local processes.

    Args:
        name: the service.
        start_process: starts another process of it, and gives it.
        until_ready: waits until a process of it is ready.
        policy: what follows when it ends by itself.
        within_s: how long it may end and be started again before it is ready for the first time, in seconds.
        notices: is told when it ends by itself, and when it is up again.
        execute: runs a command as the service would be run.
    """

    def __init__(
        self,
        name: str,
        start_process: Callable[[], Awaitable[ServiceProcess]],
        until_ready: Callable[[ServiceProcess], Awaitable[float]],
        *,
        policy: RestartPolicy,
        within_s: float,
        notices: Notices,
        execute: Callable[[Sequence[str], Path], Awaitable[int]],
    ) -> None:
        self.name = name
        self._start_process = start_process
        self._until_ready = until_ready
        self._notices = notices
        self._execute = execute
        self._process: ServiceProcess | None = None
        self._kept_up = KeptUp(self, policy, within_s, on_end=self._tell_of_end, on_restarted=self._tell_of_restart)

    @property
    def process(self) -> ServiceProcess:
        """Its process now, which is another one after each start."""
        assert self._process is not None, "it was started with the stack"
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it was launched, and has not ended since."""
        return self._process is not None and self._process.returncode is None

    async def launch(self) -> None:
        """Start it; whether it is ready is another question."""
        self._process = await self._start_process()

    async def launch_again(self) -> None:
        """The same: no engine starts a local process."""
        await self.launch()

    async def until_ready(self) -> float:
        """Wait until it is ready, after its last launch."""
        return await self._until_ready(self.process)

    async def ended(self) -> int | None:
        """Wait for the end of its last launch; None when there was none."""
        return None if self._process is None else await self._process.ended()

    async def bring_up(self, on_launched: Callable[[], object]) -> float:
        """Start it with the stack, and watch it; how long it took to become ready, in seconds."""
        return await self._kept_up.bring_up(on_launched)

    async def close(self, grace_s: float) -> None:
        """End it for good, if it was ever started; it has so many seconds to end by itself."""
        await self._kept_up.unwatch()
        if self._process is not None:
            await self._process.stop(grace_s)

    async def state(self) -> ServiceState:
        """What it does, by the kernel's word."""
        process = self.process
        try:
            stopped = process.returncode is None and psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return ServiceState.ENDED
        if process.returncode is not None:
            return ServiceState.ENDED
        return ServiceState.PAUSED if stopped else ServiceState.RUNNING

    async def kill(self) -> None:
        """End it at once, with everything that it started."""
        await self._kept_up.unwatch()
        await self.process.kill()

    async def stop(self) -> None:
        """Ask it to end, and kill what is left after five seconds."""
        await self._kept_up.unwatch()
        await self.process.stop()

    async def start(self) -> None:
        """Start one that is down, and wait until it is ready."""
        await self._kept_up.bring_up()

    async def pause(self) -> None:
        """Freeze every process of it, and see to it that each stands still.

        Raises:
            DeadlineExceeded: the kernel did not stop one of them in time.
        """
        process = self.process
        await until(process.freeze, what=f"every process of {self.name} to stand still", deadline_s=_FREEZE_DEADLINE_S)

    async def resume(self) -> None:
        """Let every process of it go on."""
        self.process.send(signal.SIGCONT)

    async def pids(self) -> frozenset[int]:
        """The ids of its processes."""
        return frozenset(process.pid for process in self.process.members())

    async def execute(self, argv: Sequence[str], output: Path) -> int:
        """Run a command with the service's environment, to its end; when cancelled, it is ended."""
        return await self._execute(argv, output)

    async def end_commands(self) -> None:
        """Nothing: each was ended, with all that it started, when it was given up."""

    async def undo_steps(self) -> Sequence[UndoStep]:
        """None: the session's end removes it."""
        return ()

    def _tell_of_end(self, returncode: int | None) -> None:
        if returncode is not None:
            self._notices.ended(self.process, returncode)

    def _tell_of_restart(self, took_s: float) -> None:
        self._notices.restarted(self.name, took_s)
