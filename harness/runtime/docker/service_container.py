"""A service of the stack as a container: started until it is ready, taken down and brought back by a fault."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from docker.errors import NotFound
from docker.models.containers import Container

from harness.errors import HarnessError
from harness.runtime.docker.command import ContainerCommand
from harness.runtime.docker.contained import Startable
from harness.runtime.docker.container_api import inspect, started_at_s
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.follower import Follower, kill_unless_down
from harness.runtime.docker.limits import as_before
from harness.runtime.kept_up import KeptUp
from harness.runtime.logs import size_of, tail
from harness.runtime.service import ServiceState
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.waiting import NotYet, until
from harness.stack.restart_policy import NO_RESTART, RestartPolicy

_NOT_FROZEN = "unable to freeze"
_FREEZE_DEADLINE_S = 10.0
# The longest that Docker's engine waits before it starts a container again, and a start.
_RESTART_DEADLINE_S = 75.0
_STATES = {"running": ServiceState.RUNNING, "restarting": ServiceState.RUNNING, "paused": ServiceState.PAUSED}


def _unheard(service: str, took_s: float) -> None:
    del service, took_s


class ServiceContainer:
    """One container, over all its starts.

    Args:
        name: the service's name.
        engine: where it runs.
        contained: the container, not yet created.
        output: the file for all that it writes.
        stop_grace_s: seconds that it has to end by itself.
        until_ready: waits until it is ready.
        on_end: is told when it ends by itself, with its exit code, or None when the engine went away.
        policy: what follows when it ends by itself.
        within_s: how long it may end and be started again before it is ready for the first time, in seconds.
        on_restarted: is told when it is ready again after its own end, and how many seconds that took.
        engine_restarts: whether the engine itself follows the policy, which Compose has told it.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        contained: Startable,
        output: Path,
        *,
        stop_grace_s: float,
        until_ready: Callable[[ServiceContainer], Awaitable[object]],
        on_end: Callable[[ServiceContainer, int | None], object],
        policy: RestartPolicy = NO_RESTART,
        within_s: float = 60.0,
        on_restarted: Callable[[str, float], object] = _unheard,
        engine_restarts: bool = False,
    ) -> None:
        self.name = name
        self.output = output
        self.output_from = 0
        self._engine = engine
        self._contained = contained
        self._stop_grace_s = stop_grace_s
        self._until_ready = until_ready
        self._engine_restarts = engine_restarts
        self._follower: Follower | None = None
        self._commands: list[ContainerCommand] = []
        self._kept_up = KeptUp(
            self,
            policy,
            within_s,
            on_end=lambda code: on_end(self, code),
            on_restarted=lambda took_s: on_restarted(name, took_s),
        )

    async def create(self) -> None:
        """Create it, without starting it.

        Raises:
            HarnessError: the engine refuses.
        """
        await self._engine.call(f"create {self.name}", self._contained.create)

    async def launch(self) -> None:
        """Start it, the first time or again; whether it is ready is another question.

        Raises:
            StartFailed: its port was taken.
            HarnessError: the engine refuses otherwise.
        """
        self.output_from = size_of(self.output)
        follower = Follower(self.container(), self._open_output())

        def work() -> None:
            follower.attach()
            self._contained.start()

        try:
            await self._engine.call(f"start {self.name}", work)
        except HarnessError:
            follower.give_up()
            raise
        self._follower = follower

    async def launch_again(self) -> None:
        """Start it after its own end, or wait until the engine has.

        Raises:
            HarnessError: it could not be started, or the engine did not do it in time.
        """
        if self._engine_restarts:
            await until(self._runs_again, what=f"the engine to start {self.name} again", deadline_s=_RESTART_DEADLINE_S)
            await self._attach(since_s=started_at_s(await inspect(self.container())))
        else:
            await self.launch()

    async def _runs_again(self) -> bool:
        return await self._engine.call(f"look at {self.name}", self._look) is ServiceState.RUNNING

    async def until_ready(self) -> object:
        """Wait until it is ready, after its last launch."""
        return await self._until_ready(self)

    async def ended(self) -> int | None:
        """Wait for the end of its last launch; None when there was none, or the engine went away."""
        return None if self._follower is None else await self._follower.ended()

    async def attach(self) -> None:
        """Follow one that runs already, from its first byte; whether it is ready is another question.

        Raises:
            HarnessError: the engine refuses.
        """
        await self._attach()
        self._kept_up.watch()

    async def _attach(self, since_s: float | None = None) -> None:
        self.output_from = size_of(self.output)
        follower = Follower(self.container(), self._open_output())
        await self._engine.call(f"follow {self.name}", lambda: follower.attach(earlier=True, since_s=since_s))
        self._follower = follower

    async def bring_up(self, on_launched: Callable[[], object]) -> float:
        """Start it with the stack, and watch it; how long it took to become ready, in seconds."""
        return await self._kept_up.bring_up(on_launched)

    async def start(self) -> None:
        """Start one that is down, with the state that it left, and wait until it is ready.

        Raises:
            StartFailed: it ended before it was ready.
            DeadlineExceeded: it was not ready in time.
        """
        await self._kept_up.bring_up()

    @property
    def runs(self) -> bool:
        """Whether it was launched, and has not ended since."""
        return self._follower is not None and not self._follower.over

    @property
    def returncode(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._follower.returncode if self._follower is not None else None

    def release(self) -> None:
        """Its next end is no news, and no restart follows: the harness ends it."""
        self._kept_up.release()

    def tail(self, lines: int = 20) -> str:
        """Its last output."""
        return tail(self.output, lines)

    def container(self) -> Container:
        """The engine's container."""
        return self._contained.get_wrapped_container()

    async def state(self) -> ServiceState:
        """What it does, by the engine's word."""
        return await self._engine.call(f"look at {self.name}", self._look)

    def _look(self) -> ServiceState:
        container = self.container()
        try:
            container.reload()
        except NotFound:
            # It was removed by hand: the harness removes it only at a session's end.
            return ServiceState.ENDED
        return _STATES.get(container.status, ServiceState.ENDED)

    async def kill(self) -> None:
        """End it at once (SIGKILL); it stays down."""
        await self._kept_up.unwatch()
        await self._engine.call(f"kill {self.name}", lambda: kill_unless_down(self.container()))
        if self._follower is not None:
            await self._follower.until_over()

    async def stop(self) -> None:
        """Ask it to end, and kill what is left after its grace period; it stays down."""
        await self._kept_up.unwatch()
        grace_s = int(self._stop_grace_s)
        await self._engine.call(f"stop {self.name}", lambda: self.container().stop(timeout=grace_s))
        if self._follower is not None:
            await self._follower.until_over()

    async def pause(self) -> None:
        """Freeze it whole.

        Raises:
            DeadlineExceeded: the kernel did not freeze it in time.
            HarnessError: the engine refuses otherwise.
        """

        async def frozen() -> bool:
            try:
                await self._engine.call(f"pause {self.name}", self.container().pause)
            except HarnessError as cause:
                # While it starts processes on a busy machine, the kernel may not come to an end with all of them.
                if _NOT_FROZEN in str(cause):
                    raise NotYet(str(cause)) from cause
                raise
            return True

        await until(frozen, what=f"{self.name} to stand still", deadline_s=_FREEZE_DEADLINE_S)

    async def resume(self) -> None:
        """Let it go on."""
        await self._engine.call(f"resume {self.name}", self.container().unpause)

    async def pids(self) -> frozenset[int]:
        """The ids of its processes, by the engine's word; none where the engine runs on another machine.

        Raises:
            HarnessError: the engine does not tell.
        """
        return await self._engine.call(f"list the processes of {self.name}", self._pids)

    def _pids(self) -> frozenset[int]:
        listed = self.container().top(ps_args="-o pid").get("Processes") or ()
        return frozenset(int(row[0]) for row in listed if Path(f"/proc/{row[0]}").exists())

    async def execute(self, argv: Sequence[str], output: Path) -> int:
        """Run a command in it, to the command's end; when cancelled, it is ended, or else by ``end_commands``.

        Raises:
            HarnessError: the engine could not run it.
        """
        command = ContainerCommand(self._engine, self.container(), argv, output)
        self._commands.append(command)
        code = await command.run()
        self._commands.remove(command)
        return code

    async def end_commands(self) -> None:
        """End every command that was given up; one that a fault kept from being ended then is ended now.

        Raises:
            HarnessError: one goes on; the container was started anew to be rid of it.
        """
        given_up, self._commands = self._commands, []
        left = [command for command in given_up if not await command.end()]
        if left and await self.state() is not ServiceState.ENDED:
            await self.kill()
            await self.start()
            raise HarnessError(
                f"a command that was given up could not be ended in the container of {self.name}, for that takes a "
                "shell and grep in its image: the container was started anew, so that nothing is stored later, and "
                "what this drill saw of its recovery is of no use"
            )

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What gives it back its limits, and has it run."""
        return await as_before(self.container())

    def _open_output(self) -> int:
        return os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
