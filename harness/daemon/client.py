"""A command's side: find the daemon or have one started, ask it for work, show how it goes."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.daemon.messages import (
    NEWS,
    AtWorkNews,
    DaemonState,
    DownNews,
    DownRequest,
    DrilledNews,
    DrillRequest,
    EntryNews,
    FailedNews,
    LineNews,
    LoadedNews,
    LoadRequest,
    Request,
    ResultNews,
    StatusNews,
    StatusRequest,
)
from harness.daemon.state_file import describe_now, read_state, state_path
from harness.daemon.status import StackStatus
from harness.drill.progress import Progress
from harness.errors import DeadlineExceeded, HarnessError, StartFailed, UsageError
from harness.load.plan import LoadPlan
from harness.load.result import LoadResult
from harness.report.result import DrillResult
from harness.runtime.running import RuntimeName
from harness.runtime.waiting import until
from harness.scenario.model import Scenario
from harness.stack.stack import Stack

LastWord = TypeVar("LastWord", DrilledNews, LoadedNews, StatusNews, DownNews)
_START_DEADLINE_S = 300.0
_DOWN_DEADLINE_S = 60.0
_STATUS_DEADLINE_S = 30.0
_MESSAGE_BYTES = 16 * 1024 * 1024


async def find_daemon(stack: Stack, saboteur: str | None, runtime: RuntimeName) -> DaemonState | None:
    """The daemon that runs a stack, if there is one.

    Args:
        stack: what it should run.
        saboteur: the defect that should be planted in it, if any.
        runtime: how it should run.

    Raises:
        UsageError: there is one, and its stack is another by now than this one would be.
    """
    state = read_state(stack.path)
    if state is not None and state.description != await describe_now(stack, saboteur, runtime):
        raise UsageError("the running stack was made from another description: `harness down` first")
    return state


async def start_daemon(
    stack: Path,
    *,
    seed: int,
    saboteur: str | None,
    runtime: RuntimeName = RuntimeName.LOCAL,
    progress: Progress,
    logs: Path | None = None,
) -> DaemonState:
    """Have a daemon start the stack, and wait until it is ready; when this is broken off, the daemon ends too.

    Args:
        stack: the compose file.
        seed: the seed of everything random.
        saboteur: the defect to plant in the system, if any.
        runtime: how it runs.
        progress: is told how it goes.
        logs: the folder for the logs of a start that fails; beside the daemon's own log when None.

    Raises:
        StartFailed: the daemon ended; the evidence is what it said.
        DeadlineExceeded: the stack was not ready in time.
    """
    log = state_path(stack).with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--stack", str(stack), "--seed", str(seed), "--runtime", str(runtime)]
    arguments += ["--logs", str(log.with_suffix("") if logs is None else logs), "--started-by", str(os.getpid())]
    arguments += ["--saboteur", saboteur] if saboteur else []
    progress.at_work("starting the stack …")
    with log.open("wb") as output:
        # A process of its own: it outlives this command, and Ctrl-C in this terminal does not reach it.
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "harness.daemon", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def ready() -> DaemonState | None:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip()
            raise StartFailed(
                f"the stack could not be started: {said.splitlines()[0] if said else 'no word'}", evidence=said
            )
        state = read_state(stack)
        return state if state is not None and state.pid == process.pid else None

    try:
        state = await until(ready, what="the stack to be ready", deadline_s=_START_DEADLINE_S, evidence=log.read_text)
    except (DeadlineExceeded, asyncio.CancelledError):
        process.terminate()
        ended = until(lambda: process.poll() is not None, what="the daemon to end", deadline_s=_DOWN_DEADLINE_S)
        await asyncio.gather(ended, return_exceptions=True)
        raise
    for line in log.read_text(errors="replace").splitlines():
        progress.line(line.strip())
    return state


def _ignore(_: DrillResult) -> None:
    return


async def drill_on(
    state: DaemonState,
    scenarios: list[Scenario],
    *,
    seed: int,
    directory: Path,
    progress: Progress,
    on_result: Callable[[DrillResult], object] = _ignore,
) -> tuple[DrillResult, ...]:
    """Run drills on the daemon's stack.

    Args:
        state: where the daemon is.
        scenarios: what is drilled.
        seed: the seed of everything random.
        directory: where the report goes.
        progress: is told how it goes.
        on_result: is told of each result as soon as it is there.

    Raises:
        HarnessError: it could not be done; the daemon's own words.
    """
    request = DrillRequest(scenarios=scenarios, seed=seed, directory=directory)

    def tell(result: DrillResult) -> None:
        on_result(dataclasses.replace(result, report=directory))

    drilled = await _ask(state, request, DrilledNews, progress, tell)
    return tuple(dataclasses.replace(result, report=directory) for result in drilled.results)


async def load_on(state: DaemonState, plan: LoadPlan, *, directory: Path, progress: Progress) -> LoadResult:
    """Bring a load on the daemon's stack.

    Raises:
        HarnessError: it could not be done; the daemon's own words.
    """
    request = LoadRequest(plan=plan, directory=directory)
    return (await _ask(state, request, LoadedNews, progress)).result


async def ask_status(state: DaemonState, progress: Progress) -> StackStatus:
    """How the daemon's stack is.

    Raises:
        DeadlineExceeded: the daemon, or the engine that it asks, did not answer in time.
        HarnessError: the daemon is gone.
    """
    try:
        async with asyncio.timeout(_STATUS_DEADLINE_S):
            return (await _ask(state, StatusRequest(), StatusNews, progress)).status
    except TimeoutError:
        raise DeadlineExceeded(
            f"the daemon of the running stack (process {state.pid}) gave no answer for {_STATUS_DEADLINE_S:g} s"
        ) from None


async def take_down(state: DaemonState, progress: Progress) -> None:
    """End the daemon and its stack, and wait until nothing of it is left.

    Raises:
        DeadlineExceeded: it was still there after a minute.
    """
    await _ask(state, DownRequest(), DownNews, progress)
    await until(
        lambda: not state.socket.parent.exists(),
        what=f"session {state.session} to be removed (else `harness clean`)",
        deadline_s=_DOWN_DEADLINE_S,
    )


async def _ask(
    state: DaemonState,
    request: Request,
    answer: type[LastWord],
    progress: Progress,
    on_result: Callable[[DrillResult], object] = _ignore,
) -> LastWord:
    try:
        reader, writer = await asyncio.open_unix_connection(state.socket, limit=_MESSAGE_BYTES)
    except OSError as cause:
        raise HarnessError(
            f"the daemon of the running stack (process {state.pid}) does not answer: `harness down`, then again"
        ) from cause
    try:
        writer.write(request.model_dump_json(by_alias=True).encode() + b"\n")
        while line := await reader.readline():
            match NEWS.validate_json(line):
                case LineNews(text=text):
                    progress.line(text)
                case AtWorkNews(text=text):
                    progress.at_work(text)
                case EntryNews(entry=entry):
                    progress.entry(entry)
                case ResultNews(result=result):
                    on_result(result)
                case FailedNews() as failed:
                    error = HarnessError(failed.message, evidence=failed.evidence)
                    error.exit_code = failed.exit_code
                    raise error
                case news if isinstance(news, answer):
                    return news
        raise HarnessError("the daemon of the running stack went away in the middle of the work")
    finally:
        writer.close()
