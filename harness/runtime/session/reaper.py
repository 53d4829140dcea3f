"""The harness's side of the reaper: start it first, register what is started, and end by closing the pipe.

The normal end and a SIGKILL take the same path, so the path is walked every day and works when it is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import SetUpError
from harness.runtime.session import process_tree
from harness.runtime.session.removal import Removed
from harness.runtime.session.removed import RemovedFromEngine
from harness.runtime.waiting import until

_SCRIPT = Path(__file__).with_name("reaper_main.py")
_READY_DEADLINE_S = 10.0
# Four seconds are its own limit for processes that would not die; on a machine that is very busy all of it takes long.
_END_DEADLINE_S = 30.0
_END_WITH_ENGINE_DEADLINE_S = 60.0
_POLL_S = 0.005


class Reaper:
    """A running reaper.

    Args:
        process: its process, whose standard input is the pipe that tells it of our end.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said = b""
        self.groups: dict[int, str] = {}
        self.engine: str | None = None

    @classmethod
    async def start(cls, session: str, directory: Path, *, guard_fd: int) -> Reaper:
        """Start the reaper, which makes the session's directory.

        Args:
            session: the session's id.
            directory: where its files will be; must not exist.
            guard_fd: the socket that guards the port block; the reaper holds it to its own end.

        Raises:
            SetUpError: the directory cannot be made.
            DeadlineExceeded: it was not ready in time.
        """
        # Not asyncio's own: its transport kills the child when the loop closes, just when this one is needed.
        process = subprocess.Popen(  # noqa: ASYNC220 - returns in a millisecond
            [sys.executable, "-I", "-S", str(_SCRIPT), session, str(directory), sysconfig.get_path("purelib")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(guard_fd,),
            start_new_session=True,
            env={},
            cwd="/",
            bufsize=0,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        reaper = cls(process)
        try:
            answer = await reaper._line(_READY_DEADLINE_S)
        except BaseException:
            reaper._release()
            raise
        if answer != "ready":
            await reaper.close()
            raise SetUpError(
                f"the session's directory {directory} cannot be made ({answer.removeprefix('error ')}): "
                "make room or set TMPDIR to a directory that can be written"
            )
        return reaper

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still watches over us."""
        return self._process.poll() is None

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Say that a process is being started: should we die meanwhile, it bears no mark yet, and is waited for."""
        self._tell("starting")
        try:
            yield
        finally:
            self._tell("started")

    def register(self, pid: int) -> None:
        """Have the process group of this leader killed at the end."""
        leader = process_tree.find_process(pid)
        if leader is not None:
            self.groups[pid] = leader.started
            self._tell(f"group {pid} {leader.started}")

    def use_engine(self, address: str) -> None:
        """Have what bears the session's label removed from this engine, too.

        Args:
            address: where the engine is, as DOCKER_HOST says it.
        """
        self.engine = address
        self._tell(f"engine {address}")

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Say that the engine is being asked to make something: should we die meanwhile, it may come only later."""
        self._tell("asking")
        try:
            yield
        finally:
            self._tell("asked")

    def forget(self, pid: int) -> None:
        """Forget a process group that is known to be empty."""
        self.groups.pop(pid, None)
        self._tell(f"forget {pid}")

    async def close(self) -> Removed | None:
        """Have everything cleaned up, and wait for the end of it.

        Returns:
            What was done, or None when the reaper itself was killed and could not say.

        Raises:
            DeadlineExceeded: it did not end in time.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            answer = await self._line(_END_DEADLINE_S if self.engine is None else _END_WITH_ENGINE_DEADLINE_S)
            await until(
                lambda: self._process.poll() is not None,
                what=f"the reaper (process {self._process.pid}) to end",
                deadline_s=_END_DEADLINE_S,
                poll_s=_POLL_S,
            )
        finally:
            self._release()
        if not answer.startswith("{"):
            return None
        said = json.loads(answer)
        said["left"] = tuple(said["left"])
        said["engine"]["left"] = tuple(said["engine"]["left"])
        return Removed(**{**said, "engine": RemovedFromEngine(**said["engine"])})

    def _release(self) -> None:
        """Close both pipes: it does its work and ends, whether the harness listens or not."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _tell(self, line: str) -> None:
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())

    async def _line(self, deadline_s: float) -> str:
        """Give the next line that it says, or what it said before it ended."""
        await until(
            self._has_said_a_line,
            what=f"a word of the reaper (process {self._process.pid})",
            deadline_s=deadline_s,
            poll_s=_POLL_S,
        )
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def _has_said_a_line(self) -> bool:
        """Whether a line of its own is there, or no more will come."""
        assert self._process.stdout is not None
        while b"\n" not in self._said:
            try:
                chunk = os.read(self._process.stdout.fileno(), 4096)
            except BlockingIOError:
                return False
            if not chunk:
                break
            self._said += chunk
        return True
