"""A command's side: find the daemon or have one started, ask it for work, show how it goes."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
from pathlib import Path

from harness.daemon.messages import (
    NEWS,
    AtWorkNews,
    DaemonState,
    DoneNews,
    DownRequest,
    DrillRequest,
    EntryNews,
    FailedNews,
    LineNews,
    Request,
)
from harness.daemon.state_file import read_state, state_path
from harness.drill.progress import Progress
from harness.errors import DeadlineExceeded, HarnessError, StartFailed
from harness.report.result import DrillResult
from harness.runtime.running import RuntimeName
from harness.scenario.model import Scenario

_START_DEADLINE_S = 300.0
_DOWN_DEADLINE_S = 60.0
_POLL_S = 0.05
_SHOWN_LINES = 20
_MESSAGE_BYTES = 16 * 1024 * 1024


async def start_daemon(
    stack: Path, *, seed: int, saboteur: str | None, runtime: RuntimeName = RuntimeName.LOCAL, progress: Progress
) -> DaemonState:
    """Have a daemon start the stack, and wait until it is ready.

    Raises:
        StartFailed: the daemon ended; the evidence is what it said.
        DeadlineExceeded: the stack was not ready in time.
    """
    log = state_path(stack).with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--stack", str(stack), "--seed", str(seed), "--runtime", str(runtime)]
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
    try:
        async with asyncio.timeout(_START_DEADLINE_S):
            while (state := read_state(stack)) is None or state.pid != process.pid:
                if process.poll() is not None:
                    said = log.read_text(errors="replace").strip()
                    raise StartFailed(
                        f"the stack could not be started: {said.splitlines()[0] if said else 'no word'}", evidence=said
                    )
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        process.terminate()
        raise DeadlineExceeded(
            f"the stack was not ready within {_START_DEADLINE_S:g} s", evidence=log.read_text()
        ) from None
    except asyncio.CancelledError:
        process.terminate()
        raise
    for line in log.read_text(errors="replace").splitlines():
        progress.line(line.strip())
    return state


async def drill_on(
    state: DaemonState, scenarios: list[Scenario], *, seed: int, directory: Path, progress: Progress
) -> tuple[DrillResult, ...]:
    """Run drills on the daemon's stack.

    Raises:
        HarnessError: it could not be done; the daemon's own words.
    """
    request = DrillRequest(scenarios=scenarios, seed=seed, directory=directory)
    done = await _ask(state, request, progress)
    return tuple(dataclasses.replace(result, report=directory) for result in done.results)


async def take_down(state: DaemonState, progress: Progress) -> None:
    """End the daemon and its stack, and wait until nothing of it is left.

    Raises:
        DeadlineExceeded: it was still there after a minute.
    """
    await _ask(state, DownRequest(), progress)
    try:
        async with asyncio.timeout(_DOWN_DEADLINE_S):
            while state.socket.parent.exists():  # noqa: ASYNC110 - another process removes it
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DeadlineExceeded(
            f"session {state.session} was still there after {_DOWN_DEADLINE_S:g} s: `harness clean`"
        ) from None


async def _ask(state: DaemonState, request: Request, progress: Progress) -> DoneNews:
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
                case DoneNews() as done:
                    return done
                case FailedNews() as failed:
                    error = HarnessError(failed.message, evidence=failed.evidence)
                    error.exit_code = failed.exit_code
                    raise error
        raise HarnessError("the daemon of the running stack went away in the middle of the work")
    finally:
        writer.close()
