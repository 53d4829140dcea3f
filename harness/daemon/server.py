"""The daemon's own side: it starts the stack, listens, and runs one piece of work at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.daemon.messages import (
    REQUEST,
    DaemonState,
    DownNews,
    DownRequest,
    DrilledNews,
    DrillRequest,
    FailedNews,
    LoadedNews,
    LoadRequest,
    News,
    ResultNews,
    StatusNews,
    StatusRequest,
)
from harness.daemon.remote_progress import RemoteProgress
from harness.daemon.state_file import describe_now, state_path
from harness.daemon.status import StackStatus, accesses, link_statuses, service_statuses
from harness.drill.description import variables
from harness.drill.opening import running_stack
from harness.drill.progress import Progress
from harness.drill.series import drill_all
from harness.drill.unforeseen import unforeseen
from harness.errors import HarnessError
from harness.load.loading import load_stack_with_runs
from harness.runtime.running import RunningStack, RuntimeName
from harness.runtime.service import ServiceState
from harness.stack.compose import DoneProbe
from harness.stack.credentials import secret_origins
from harness.stack.stack import Stack

_RUNNING = ServiceState.RUNNING
_MESSAGE_BYTES = 16 * 1024 * 1024


def _ignore() -> None:
    return


class Daemon:
    """Runs one stack.

    Args:
        stack: what it runs.
        saboteur: the defect that is planted in it, if any.
        runtime: how it runs.
        logs_kept_in: the folder for the logs of a start that failed.
    """

    def __init__(
        self, stack: Stack, saboteur: str | None, runtime: RuntimeName, *, logs_kept_in: Path | None = None
    ) -> None:
        self._stack = stack
        self._saboteur = saboteur
        self._runtime = runtime
        self._logs_kept_in = logs_kept_in
        self._secrets = secret_origins(stack.path, variables(os.environ, 0, stack.project))
        self._down = asyncio.Event()
        self._since = datetime.now(UTC)
        self._at_work: RemoteProgress | None = None

    async def run(self, started: Progress, on_ready: Callable[[], object] = _ignore) -> None:
        """Start the stack, and let it run until a command asks for its end or this task is cancelled.

        Args:
            started: is told how the start goes.
            on_ready: is called when commands can ask for work.
        """
        description = await describe_now(self._stack, self._saboteur, self._runtime)
        kept_in = self._logs_kept_in
        async with (
            running_stack(self._stack, started, self._saboteur, self._runtime, logs_kept_in=kept_in) as running,
            self._listening(running, description),
        ):
            on_ready()
            await self._down.wait()

    @asynccontextmanager
    async def _listening(self, running: RunningStack, description: str) -> AsyncIterator[None]:
        socket = running.directory / "daemon.sock"
        self._since = datetime.now(UTC)

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
            match REQUEST.validate_json(await reader.readline()):
                case DownRequest():
                    progress.send(DownNews())
                    self._down.set()
                case StatusRequest():
                    progress.send(StatusNews(status=await self._status(running)))
                case DrillRequest() as asked:
                    progress.begin("drill")
                    await self._work(running, self._drill(running, asked, progress), reader, progress)
                case LoadRequest() as asked:
                    progress.begin("load")
                    await self._work(running, self._load(running, asked, progress), reader, progress)
        except HarnessError as cause:
            progress.send(FailedNews(message=str(cause), evidence=cause.evidence, exit_code=cause.exit_code))
        except Exception as cause:  # noqa: BLE001 - the command waits for a word, and the stack stays up
            error = unforeseen(cause, "in its daemon", folder=state_path(self._stack.path).parent)
            progress.send(FailedNews(message=str(error), evidence="", exit_code=error.exit_code))
        finally:
            writer.close()

    async def _work(
        self,
        running: RunningStack,
        work: Coroutine[object, object, News],
        reader: asyncio.StreamReader,
        progress: RemoteProgress,
    ) -> None:
        """Do one piece of work, alone, for as long as the command that wants it is there; its last word is sent."""
        if self._at_work is not None:
            work.close()
            raise HarnessError(
                f"the running stack is busy ({self._at_work.work}): wait for its end, or `harness down`, then again"
            )
        self._at_work = progress
        try:
            async with _begun_if_whole(running, work) as task:
                # The command says nothing more: an end of its stream means that it is gone, with its wish.
                gone = asyncio.ensure_future(reader.read(1))
                await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    gone.cancel()
                    progress.send(task.result())
        finally:
            self._at_work = None

    async def _drill(self, running: RunningStack, asked: DrillRequest, progress: RemoteProgress) -> News:
        results = await drill_all(
            running,
            asked.scenarios,
            seed=asked.seed,
            directory=asked.directory,
            progress=progress,
            on_result=lambda result: progress.send(ResultNews(result=result)),
        )
        return DrilledNews(results=list(results))

    async def _load(self, running: RunningStack, asked: LoadRequest, progress: RemoteProgress) -> News:
        result = await load_stack_with_runs(running, asked.plan, directory=asked.directory, progress=progress)
        return LoadedNews(result=result)

    async def _status(self, running: RunningStack) -> StackStatus:
        return StackStatus(
            stack=self._stack.path,
            runtime=self._runtime,
            saboteur=self._saboteur,
            session=running.session_id,
            pid=os.getpid(),
            since=self._since,
            work=None if self._at_work is None else self._at_work.work,
            services=await service_statuses(running),
            links=link_statuses(running),
            access=accesses(running),
            secrets=self._secrets,
        )


@asynccontextmanager
async def _begun_if_whole(
    running: RunningStack, work: Coroutine[object, object, News]
) -> AsyncIterator[asyncio.Task[News]]:
    """Begin the work on a stack that is whole; what is not done at the end of the block is broken off."""
    try:
        await _require_whole(running)
    except BaseException:
        work.close()
        raise
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


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
