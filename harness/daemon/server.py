"""The daemon's own side: it starts the stack, listens, and runs one piece of work at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.daemon.messages import (
    REQUEST,
    AtWorkNews,
    DaemonState,
    DoneNews,
    DownRequest,
    DrillRequest,
    EntryNews,
    FailedNews,
    LineNews,
    News,
)
from harness.daemon.state_file import describe_now, state_path
from harness.drill.opening import running_stack
from harness.drill.progress import Progress
from harness.drill.series import drill_all
from harness.errors import HarnessError
from harness.history.history import Entry
from harness.runtime.running import RunningStack, RuntimeName
from harness.runtime.service import ServiceState
from harness.stack.compose import DoneProbe
from harness.stack.stack import Stack

_RUNNING = ServiceState.RUNNING
_MESSAGE_BYTES = 16 * 1024 * 1024


class RemoteProgress:
    """Tells the command at the other end how the work goes."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def line(self, text: str) -> None:
        """A line for the user."""
        self.send(LineNews(text=text))

    def at_work(self, what: str) -> None:
        """What is going on until the next word."""
        self.send(AtWorkNews(text=what))

    def entry(self, entry: Entry) -> None:
        """An entry of the history."""
        self.send(EntryNews(entry=entry))

    def done(self) -> None:
        """Nothing more is going on."""

    def send(self, news: News) -> None:
        """One message; a command that does not listen any more misses it."""
        if not self._writer.is_closing():
            self._writer.write(news.model_dump_json(by_alias=True).encode() + b"\n")


class Daemon:
    """Runs one stack.

    Args:
        stack: what it runs.
        saboteur: the defect that is planted in it, if any.
        runtime: how it runs.
    """

    def __init__(self, stack: Stack, saboteur: str | None, runtime: RuntimeName) -> None:
        self._stack = stack
        self._saboteur = saboteur
        self._runtime = runtime
        self._down = asyncio.Event()
        self._busy = asyncio.Lock()

    async def run(self, started: Progress) -> None:
        """Start the stack, and let it run until a command asks for its end or this task is cancelled."""
        description = await describe_now(self._stack, self._saboteur, self._runtime)
        async with (
            running_stack(self._stack, started, self._saboteur, self._runtime) as running,
            self._listening(running, description),
        ):
            await self._down.wait()

    @asynccontextmanager
    async def _listening(self, running: RunningStack, description: str) -> AsyncIterator[None]:
        socket = running.directory / "daemon.sock"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(running, reader, writer)

        server = await asyncio.start_unix_server(serve, socket, limit=_MESSAGE_BYTES)
        socket.chmod(0o600)
        state_file = state_path(self._stack.path)
        state = DaemonState(pid=os.getpid(), session=running.session_id, socket=socket, description=description)
        write_whole(state_file, state.model_dump_json())
        try:
            async with server:
                yield
        finally:
            state_file.unlink(missing_ok=True)

    async def _serve(self, running: RunningStack, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        progress = RemoteProgress(writer)
        try:
            request = REQUEST.validate_json(await reader.readline())
            match request:
                case DownRequest():
                    progress.send(DoneNews())
                    self._down.set()
                case DrillRequest():
                    await self._drill(running, request, reader, progress)
        except (HarnessError, ValueError) as cause:
            evidence = cause.evidence if isinstance(cause, HarnessError) else ""
            code = cause.exit_code if isinstance(cause, HarnessError) else HarnessError.exit_code
            progress.send(FailedNews(message=str(cause), evidence=evidence, exit_code=code))
        finally:
            writer.close()

    async def _drill(
        self, running: RunningStack, request: DrillRequest, reader: asyncio.StreamReader, progress: RemoteProgress
    ) -> None:
        if self._busy.locked():
            raise HarnessError(
                "the running stack is busy with another drill: wait for its end, or `harness down`, then again"
            )
        async with self._busy:
            await _require_whole(running)
            work = asyncio.ensure_future(
                drill_all(running, request.scenarios, seed=request.seed, directory=request.directory, progress=progress)
            )
            # The command says nothing more: an end of its stream means that it is gone, and its result is not wanted.
            gone = asyncio.ensure_future(reader.read(1))
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                return
            gone.cancel()
            progress.send(DoneNews(results=list(work.result())))


async def _require_whole(running: RunningStack) -> None:
    """Refuse a stack that has lost a service since the last drill: a new one would be inconclusive, and not say why."""
    lasting = [name for name, each in running.stack.services.items() if not isinstance(each.part.ready, DoneProbe)]
    states = await asyncio.gather(*(running.service(name).state() for name in lasting))
    if lacking := [f"{name} ({state})" for name, state in zip(lasting, states, strict=True) if state is not _RUNNING]:
        raise HarnessError(
            f"the running stack is not whole any more, it lacks {', '.join(lacking)}: `harness down`, then again"
        )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is never read by halves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(path)
