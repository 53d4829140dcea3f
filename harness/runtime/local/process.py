"""One service as a local process: started clean, watched, and stopped with everything that it started itself."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import DeadlineExceeded, HarnessError, StartFailed
from harness.runtime.logs import size_of, tail
from harness.runtime.session import process_tree
from harness.runtime.session.session import Session
from harness.runtime.waiting import until

_END_DEADLINE_S = 4.0


class ServiceProcess:
    """A running service, the leader of a session and a process group of its own.

    Args:
        name: the service's name, for errors and as a mark in its environment.
        process: the process.
        output: the file that holds what it writes, both streams.
        output_from: where in that file its own output begins, in bytes: an earlier start may have written before.
        session: the session that it belongs to.
        mark: what the environment of all its processes holds, and of no others, beside the session's marks.
    """

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        output: Path,
        output_from: int,
        session: Session,
        mark: str,
    ) -> None:
        self.name = name
        self.output = output
        self.output_from = output_from
        self._process = process
        self._session = session
        self._mark = mark
        self._leader = process_tree.find_process(process.pid)
        session.reaper.register(process.pid)

    @classmethod
    async def start(
        cls,
        name: str,
        argv: Sequence[str],
        *,
        session: Session,
        output: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        output_fd: int | None = None,
        command: str | None = None,
    ) -> ServiceProcess:
        """Start a service.

        Args:
            name: the service's name.
            argv: the command; no shell reads it.
            session: what it will belong to.
            output: the file for its standard output and error; appended to, so that a restart keeps the first run.
            environment: all that it gets, but for the session's marks; by default ``session.environment()``.
            directory: where it runs; by default the session's directory.
            output_fd: where its output goes instead of into the file (the caller writes the file then).
            command: for a command that runs where the service runs, what tells it apart: it ends with the service, as
                it would in a container, and the service does not end with it.

        Raises:
            StartFailed: the command cannot be run.
        """
        given = dict(session.environment() if environment is None else environment)
        given |= session.marks
        given[process_tree.SERVICE_VARIABLE] = name
        mark = f"{process_tree.SERVICE_VARIABLE}={name}"
        if command is not None:
            given[process_tree.COMMAND_VARIABLE] = command
            mark = f"{process_tree.COMMAND_VARIABLE}={command}"
        # setproctitle (Airflow uses it) would overwrite the environment, and our marks with it.
        given["SPT_NOENV"] = "1"
        output.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if output_fd is None else output_fd
        output_from = size_of(output)
        try:
            with session.reaper.starting():
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    env=given,
                    cwd=directory or session.directory,
                    start_new_session=True,
                )
                service = cls(name, process, output, output_from, session, mark)
        except OSError as error:
            raise StartFailed(f"{name} cannot be started: {error.strerror}: {argv[0]}", service=name) from error
        finally:
            if output_fd is None:
                os.close(file)
        return service

    @property
    def pid(self) -> int:
        """Its process id, which is the id of its group as well."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended: an exit code, a negative signal number, or None while it runs."""
        return self._process.returncode

    def tail(self, lines: int = 20) -> str:
        """Give the last lines that it wrote.

        Args:
            lines: at most so many.
        """
        return tail(self.output, lines)

    async def wait(self, deadline_s: float) -> int:
        """Wait for it to end by itself.

        Args:
            deadline_s: seconds until the wait is given up.

        Returns:
            Its exit code, negative for a signal.

        Raises:
            DeadlineExceeded: it still runs; the evidence is its last output.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await self._process.wait()
        except TimeoutError:
            raise DeadlineExceeded(
                f"{self.name} (process {self.pid}) still runs after {deadline_s:g} s", evidence=self.tail()
            ) from None

    async def ended(self) -> int:
        """Wait for its end without a deadline: for a watcher, which is cancelled when it is no longer needed."""
        return await self._process.wait()

    def members(self) -> frozenset[process_tree.LiveProcess]:
        """Give every process of the service: its group, its children, and what carries its mark."""
        marks = [f"{name}={value}" for name, value in self._session.marks.items()]
        marks.append(self._mark)
        return process_tree.members(marks, {self._leader.pid: self._leader.started} if self._leader else {})

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process of the service (SIGCONT resumes it whole)."""
        for process in self.members():
            process_tree.send(process, number)

    def freeze(self) -> bool:
        """Stop every process of the service that runs still (SIGSTOP).

        Returns:
            Whether all had stopped already: a signal takes effect only when the kernel comes round to its process, and
            what was just forked has got none.
        """
        running = [process for process in self.members() if not process.is_stopped]
        for process in running:
            process_tree.send(process, signal.SIGSTOP)
        return not running

    async def kill_group(self) -> None:
        """Kill its process group alone: for a service that starts nothing itself, in a fraction of the time."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self.wait(_END_DEADLINE_S)
        self._session.reaper.forget(self.pid)

    async def kill(self) -> None:
        """Kill it with everything that it started, at once.

        Raises:
            HarnessError: a process would not die.
        """
        # In a thread: a look at every process of the machine takes some 15 ms.
        ended = await asyncio.to_thread(process_tree.end, self.members, deadline_s=_END_DEADLINE_S)
        if ended.left:
            left = ", ".join(str(process.pid) for process in ended.left)
            raise HarnessError(f"{self.name} could not be killed: processes {left} are left", evidence=self.tail())
        await self.wait(_END_DEADLINE_S)
        self._session.reaper.forget(self.pid)

    async def stop(self, grace_s: float = 5.0) -> int:
        """Ask its process group to end, then kill what is left of it, wherever it went.

        Args:
            grace_s: seconds that it has to end by itself.

        Returns:
            Its exit code, negative for a signal.

        Raises:
            HarnessError: a process would not die.
        """
        # Before it ends: descent is a mark only as long as the parents live.
        before = self.members()
        group = [process for process in before if process.group == self.pid]
        for number in (signal.SIGTERM, signal.SIGCONT):
            for process in group:
                process_tree.send(process, number)
        gives_up_at = time.monotonic() + grace_s
        with suppress(DeadlineExceeded):  # killed below
            await self.wait(grace_s)
            await until(
                lambda: not any(process_tree.is_alive(process) for process in group),
                what=f"the process group of {self.name} to end",
                deadline_s=max(0.0, gives_up_at - time.monotonic()),
                poll_s=0.02,
            )
        ended = await asyncio.to_thread(
            process_tree.end,
            lambda: self.members() | {process for process in before if process_tree.is_alive(process)},
            deadline_s=_END_DEADLINE_S,
        )
        if ended.left:
            left = ", ".join(str(process.pid) for process in ended.left)
            raise HarnessError(f"{self.name} could not be stopped: processes {left} are left", evidence=self.tail())
        self._session.reaper.forget(self.pid)
        return await self.wait(_END_DEADLINE_S)
