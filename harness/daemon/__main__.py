"""``python -m harness.daemon``: run a stack until ``harness down``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.daemon.server import Daemon
from harness.drill.description import describe
from harness.drill.interruptible import run_interruptibly
from harness.drill.progress import Progress
from harness.drill.unforeseen import unforeseen
from harness.errors import HarnessError
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RuntimeName

_LOOK_EVERY_S = 0.2


def main() -> int:
    """Run a stack; what goes wrong while it starts is said in the first line."""
    parser = argparse.ArgumentParser(prog="python -m harness.daemon")
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--saboteur")
    parser.add_argument("--runtime", type=RuntimeName, default=RuntimeName.LOCAL)
    parser.add_argument("--logs", type=Path)
    parser.add_argument("--started-by", type=int)
    given = parser.parse_args()
    try:
        # With every setting that a crash needs: it is not known yet which scenarios will run on it.
        stack = describe(given.stack, seed=given.seed)
        daemon = Daemon(stack, given.saboteur, given.runtime, logs_kept_in=given.logs)
        run_interruptibly(_run(daemon, TerminalProgress(Console(width=200)), given.started_by))
    except HarnessError as error:
        return _say(error)
    except KeyboardInterrupt:
        return 0
    except Exception as cause:  # noqa: BLE001 - the command reads one line of it
        return _say(unforeseen(cause, "in its daemon", folder=given.logs))
    return 0


async def _run(daemon: Daemon, started: Progress, started_by: int | None) -> None:
    """Run a daemon, which ends when the command that waits for its stack is killed meanwhile."""
    task = asyncio.current_task()
    assert task is not None
    waiting = asyncio.create_task(_until_gone(started_by, task.cancel), name="watch the command that waits")
    try:
        await daemon.run(started, on_ready=waiting.cancel)
    finally:
        waiting.cancel()


async def _until_gone(process: int | None, end: Callable[[], object]) -> None:
    if process is None:
        return
    while os.getppid() == process:  # noqa: ASYNC110 - no event tells of the end of a process that is not ours
        await asyncio.sleep(_LOOK_EVERY_S)
    end()


def _say(error: HarnessError) -> int:
    print(error, error.evidence, sep="\n")  # noqa: T201 - read by the command that started us
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
