"""How every test is run: none left out, and none killed that has something to take down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.every_test import ONE_BY_ONE

ROOT = Path(__file__).parents[2]
# Takes its time to end when it is told to, as a test does that has containers to remove.
SLOW_TO_END = """
import signal, sys, time
told = []
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: told.append(1))
print("begun", flush=True)
while not told:
    time.sleep(0.01)
time.sleep(0.5)
print("took all down", flush=True)
sys.exit(2)
"""
WAITER = """
import sys
from bootstrap.every_test import wait_for
sys.exit(wait_for([sys.executable, "-c", sys.argv[1]]))
"""


def test_folders_of_tests_that_run_alone_exist() -> None:
    """A folder that was renamed would run beside others, unnoticed."""
    assert [folder for folder in ONE_BY_ONE if not (ROOT / folder).is_dir()] == []


@pytest.mark.parametrize("how", ["ctrl-c", "terminated"])
def test_command_that_is_told_to_stop_may_end_by_itself(how: str) -> None:
    """Ctrl-C reaches the whole group, SIGTERM only the one that waits: in both cases the command has its time."""
    waiter = subprocess.Popen(
        [sys.executable, "-c", WAITER, SLOW_TO_END],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert waiter.stdout is not None
    assert waiter.stdout.readline() == "begun\n"
    if how == "ctrl-c":
        os.killpg(waiter.pid, signal.SIGINT)
    else:
        waiter.terminate()
    said, _ = waiter.communicate(timeout=30)
    assert (said, waiter.returncode) == ("took all down\n", 2)


def test_command_that_is_killed_has_failed() -> None:
    """A signal's number is no success, and not taken for one."""
    waiter = subprocess.run(
        [sys.executable, "-c", WAITER, "import os; os.kill(os.getpid(), 9)"], cwd=ROOT, check=False, timeout=30
    )
    assert waiter.returncode == 128 + signal.SIGKILL
