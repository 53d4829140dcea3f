"""A run is a command that runs where a service runs; its exit code is the run's state."""

from __future__ import annotations

from pathlib import Path

from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.workload import TaskLogs, Workload
from harness.history.reads import TaskRead
from harness.runtime.running import RunningStack
from harness.stack.workload import CommandWorkload

COMMAND = "command"


class CommandRuns(Workload):
    """Runs a command, one run after the other.

    Args:
        workload: what is run, and where.
        running: the stack.
        observer: is told of every state.
    """

    def __init__(self, workload: CommandWorkload, running: RunningStack, observer: Observer) -> None:
        super().__init__(observer)
        self._workload = workload
        self._running = running

    async def follow(self, watch: RunWatch) -> None:
        """Run the command to its end."""
        await self._observer.note_state(watch, "running")
        argv = [word.replace("{run}", watch.run_id) for word in self._workload.run]
        code = await self._running.service(self._workload.service).execute(argv, self._output(watch))
        await self._observer.note_state(watch, "success" if code == 0 else "failed")

    async def give_up(self, watch: RunWatch) -> None:
        """See to it that nothing of the command is left, which would store its work into the next run."""
        del watch
        await self._running.service(self._workload.service).end_commands()

    def parts(self, watch: RunWatch) -> tuple[TaskRead, ...]:
        """The command is the one task of its run, and its exit code says how it ended."""
        return (TaskRead(COMMAND, watch.state, attempt=1),)

    async def logs(self, watch: RunWatch) -> TaskLogs:
        """What the command wrote."""
        output = self._output(watch)
        text = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        return {(watch.run_id, COMMAND): text}

    def _output(self, watch: RunWatch) -> Path:
        return self._running.directory / f"{watch.run_id}.log"
