"""A stack that a daemon runs is as good for the next drill as a new one, however the drill before it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.daemon.state_file import read_state, state_path
from harness.runtime.cache import VARIABLE, cache_directory
from tests.drill.conftest import PROJECT, Finish, Start
from tests.drill.test_interference import wait_for_event

UP_DEADLINE_S = 120
COMPOSE = PROJECT / "docker-compose.test.yml"


def harness(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the harness to its end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=UP_DEADLINE_S, check=False
    )


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache where no other test's harness finds the stack that is kept; all else in it is everyone's."""
    shared, own = cache_directory(PROJECT), tmp_path / "cache"
    own.mkdir()
    for entry in shared.iterdir():
        if entry.name != state_path(COMPOSE).parent.name:
            (own / entry.name).symlink_to(entry.resolve())
    monkeypatch.setenv(VARIABLE, str(own))


@pytest.fixture
def daemon_stack(own_cache: None, starts_a_stack: None) -> Iterator[None]:
    """The project's stack, up for as long as the test takes."""
    up = harness("up")
    assert up.returncode == 0, up.stdout + up.stderr
    yield
    down = harness("down")
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.mark.usefixtures("daemon_stack")
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


@pytest.mark.usefixtures("daemon_stack")
def test_stack_that_lost_a_service_says_so(tmp_path: Path) -> None:
    """A service that went down between two drills is named at once, and what to do; nothing is drilled on the rest."""
    state = read_state(COMPOSE)
    assert state is not None
    (backend,) = leaders_of(state.session, "backend")
    backend.kill()
    backend.wait(5)
    drilled = harness("drill", "healthy", "--reports", str(tmp_path))
    assert drilled.returncode == 3
    assert "it lacks backend (ended): `harness down`, then again" in drilled.stdout + drilled.stderr


def leaders_of(session: str, service: str) -> list[psutil.Process]:
    """The first process of a service of a session."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            marks = process.environ()
            if (marks.get("HARNESS_SESSION"), marks.get("HARNESS_SERVICE")) == (session, service):
                found.append(process)
    return [each for each in found if each.ppid() not in {other.pid for other in found}]
