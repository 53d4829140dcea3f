"""A stack that is kept up is as good for the next drill as a new one, whatever became of the one before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drill.conftest import PROJECT, Finish, Start
from tests.drill.test_interference import wait_for_event

UP_DEADLINE_S = 120


def harness(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the harness to its end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=UP_DEADLINE_S, check=False
    )


@pytest.fixture
def kept_stack() -> Iterator[None]:
    """The project's stack, up for as long as the test takes."""
    up = harness("up")
    assert up.returncode == 0, up.stdout + up.stderr
    yield
    down = harness("down")
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.mark.usefixtures("kept_stack")
def test_drill_that_was_broken_off_leaves_the_next_one_a_stack_as_new(
    start_drill: Start, finish: Finish, reports: Path
) -> None:
    """Killed in the middle of a run and under a fault: the next drills end both, and pass on the same stack."""
    broken_off = start_drill("backend-down")
    wait_for_event(reports, "fault_on", broken_off)
    broken_off.send_signal(signal.SIGKILL)
    broken_off.wait(5)
    drilled = finish(start_drill("healthy", "healthy"))
    assert "ready in" not in drilled.said  # no stack was started for it
    assert drilled.verdicts == {"healthy": "PASS"}, drilled.said
    assert {"healthy", "healthy-2"} <= {path.name for path in drilled.report.iterdir()}
