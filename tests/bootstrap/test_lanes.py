"""How every test is run: none left out of the lanes, and none killed that has something to take down."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

from bootstrap.lanes import ALONE, LANES, LONG, QUICK, Part

ROOT = Path(__file__).parents[2]
PARTS = (QUICK, LONG, ALONE)
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
from bootstrap.lanes import wait_for
sys.exit(wait_for([sys.executable, "-c", sys.argv[1]], {}))
"""


def files_of_tests() -> Iterator[Path]:
    """Every file of the project that pytest takes for tests, wherever it lies."""
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [name for name in inside if not name.startswith(".") and name != "reports"]
        yield from (Path(folder, name) for name in files if name.startswith("test_") and name.endswith(".py"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.marks)
def test_part_names_every_folder_with_tests(part: Part) -> None:
    """A folder that no run of pytest names would never be tested, and a green lane would not show it."""
    command = part.command()
    named = [ROOT / word for word in command if (ROOT / word).is_dir()]
    assert not [word for word in command if word.startswith(("--ignore", "--deselect"))]
    files = list(files_of_tests())
    assert len(files) > 100
    assert [file for file in files if not any(file.is_relative_to(folder) for folder in named)] == []


def takes(part: Part, has: Mapping[str, bool]) -> bool:
    """Whether a part runs a test that has these marks."""

    def is_marked(name: str, /, **_: object) -> bool:
        return has[name]

    return Expression.compile(part.marks).evaluate(is_marked)


@pytest.mark.parametrize("lane", ["test", "test-thorough"])
@pytest.mark.parametrize("marks", list(itertools.product((True, False), repeat=3)))
def test_whole_lane_runs_every_test_once(lane: str, marks: tuple[bool, bool, bool]) -> None:
    """With any marks on a test, there is one part that takes it, and no other does it again."""
    has = dict(zip(("stack", "sweep", "alone"), marks, strict=True))
    assert sum(takes(part, has) for part in LANES[lane]) == 1


def test_quick_lane_starts_no_stack() -> None:
    """Nothing of it needs Airflow or an engine."""
    for part, sweep, alone in itertools.product(LANES["test-quick"], (True, False), (True, False)):
        assert not takes(part, {"stack": True, "sweep": sweep, "alone": alone})


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
