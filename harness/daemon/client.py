"""A command's side: find the kept stack or have one started, ask it for work, show how it goes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from harness.daemon.messages import (
    NEWS,
    AtWorkNews,
    DoneNews,
    DownRequest,
    DrillRequest,
    EntryNews,
    FailedNews,
    Kept,
    LineNews,
    Request,
)
from harness.daemon.state_file import read_state, state_path
from harness.drill.progress import Progress
from harness.drill.session import Report
from harness.errors import DeadlineExceeded, HarnessError, StartFailed
from harness.runtime.running import RuntimeName
from harness.scenario.model import Scenario

_START_DEADLINE_S = 300.0
_DOWN_DEADLINE_S = 60.0
_POLL_S = 0.05
_SHOWN_LINES = 20
_MESSAGE_BYTES = 16 * 1024 * 1024


async def start_daemon(
    stack: Path, *, seed: int, saboteur: str | None, runtime: RuntimeName = RuntimeName.LOCAL, progress: Progress
) -> Kept:
    """Have a keeper start the stack, and wait until it is ready.

    Raises:
        StartFailed: the keeper ended; the evidence is what it said.
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
            while (kept := read_state(stack)) is None or kept.pid != process.pid:
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
    return kept


async def drill_on(kept: Kept, scenarios: list[Scenario], *, seed: int, directory: Path, progress: Progress) -> Report:
    """Run drills on a kept stack.

    Raises:
        HarnessError: it could not be done; the keeper's own words.
    """
    request = DrillRequest(scenarios=scenarios, seed=seed, directory=directory)
    done = await _ask(kept, request, progress)
    return Report(directory, tuple(done.summaries))


async def take_down(kept: Kept, progress: Progress) -> None:
    """End a kept stack, and wait until nothing of it is left.

    Raises:
        DeadlineExceeded: it was still there after a minute.
    """
    await _ask(kept, DownRequest(), progress)
    try:
        async with asyncio.timeout(_DOWN_DEADLINE_S):
            while kept.socket.parent.exists():  # noqa: ASYNC110 - another process removes it
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise DeadlineExceeded(
            f"session {kept.session} was still there after {_DOWN_DEADLINE_S:g} s: `harness clean`"
        ) from None


async def _ask(kept: Kept, request: Request, progress: Progress) -> DoneNews:
    try:
        reader, writer = await asyncio.open_unix_connection(kept.socket, limit=_MESSAGE_BYTES)
    except OSError as cause:
        raise HarnessError(
            f"the kept stack (process {kept.pid}) does not answer: `harness down`, then again"
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
        raise HarnessError("the kept stack went away in the middle of the work")
    finally:
        writer.close()
