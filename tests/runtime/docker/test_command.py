"""The commands with ``--runtime docker``: a stack that is left up, and an engine that is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.daemon.state_file import read_state, state_path
from harness.runtime.docker.engine import Engine
from tests.runtime.docker.small_stack import in_engine, small_stack

SCENARIO = "name: healthy\nabout: Nothing goes wrong.\n"
DEADLINE_S = 120


def harness(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "harness", *words],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.docker
def test_stack_is_up_until_down(engine: Engine, tmp_path: Path) -> None:
    """`up` leaves the containers there under a description of theirs, and `down` leaves nothing of them."""
    stack = small_stack(tmp_path).path
    up = harness("up", "--stack", str(stack), "--runtime", "docker")
    assert up.returncode == 0, up.stdout + up.stderr
    state = read_state(stack)
    assert state is not None
    assert len(in_engine(engine, state.session)) > 10
    down = harness("down", "--stack", str(stack))
    assert down.returncode == 0, down.stdout + down.stderr
    assert in_engine(engine, state.session) == []
    assert not state_path(stack).exists()


def test_drill_without_an_engine_is_inconclusive_in_one_line(tmp_path: Path) -> None:
    """Where no engine answers, a drill ends with exit code 3 and a line that says what to do; no report stays."""
    stack = small_stack(tmp_path).path
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "healthy.yaml").write_text(SCENARIO)
    drilled = harness(
        "drill", "healthy", "--stack", str(stack), "--runtime", "docker", DOCKER_HOST=f"unix://{tmp_path}/absent.sock"
    )
    said = (drilled.stdout + drilled.stderr).strip()
    assert drilled.returncode == 3, said
    assert said.splitlines() == [said]
    assert "no Docker engine answers" in said
    assert list((tmp_path / "reports").iterdir()) == []
