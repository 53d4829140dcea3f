"""Every test: first those that run side by side, then those that need the machine for themselves."""

from __future__ import annotations

import signal
import subprocess

from bootstrap.ready import tool

PYTEST = ("pytest", "-rs", "--durations=25")
# Tests that start whole stacks, or give the engine much to do.
ONE_BY_ONE = (
    "features",
    "tests/airflow",
    "tests/drill",
    "tests/faults",
    "tests/foreign",
    "tests/images",
    "tests/load",
    "tests/runtime/docker",
)
# All others, a file on each processor; more than four would be more servers than a laptop has room for.
SIDE_BY_SIDE = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile")
RUNS = (
    # A folder that is named cannot be ignored: features are left out by not naming them.
    (*PYTEST, "tests", *SIDE_BY_SIDE, *(f"--ignore={folder}" for folder in ONE_BY_ONE)),
    (*PYTEST, *ONE_BY_ONE),
)
SOME_FAILED = 1


def run_every_test() -> int:
    """Run both kinds, the second also when tests of the first failed.

    Returns:
        The exit code of pytest: the worse of the two.
    """
    codes: list[int] = []
    for command in RUNS:
        codes.append(wait_for([tool(command[0]), *command[1:]]))
        if codes[-1] > SOME_FAILED:
            break
    return max(codes)


def wait_for(command: list[str]) -> int:
    """Run a command to its own end, also when it is told to stop: it may have much to take down.

    Returns:
        Its exit code, as a shell gives it.
    """
    with subprocess.Popen(command) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        # The terminal's Ctrl-C went to the command as well.
        signal.signal(signal.SIGINT, lambda *_: None)
        code = process.wait()
    return code if code >= 0 else 128 - code
