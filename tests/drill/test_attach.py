"""Drills on a stack that Docker Compose itself brought up: it is left as it was found, however the drill ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from harness.runtime.cache import cache_directory
from tests.drill.conftest import PROJECT, Finish, Start
from tests.drill.test_interference import wait_for_event

COMPOSE_DEADLINE_S = 180
RESTORED_WITHIN_S = 60.0
POLL_S = 0.1
ONE_SHOT = "airflow-migrate"


def compose(project: str, *words: str) -> None:
    """Run Docker Compose on the project's own file."""
    program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    names = ["-p", project, "--env-file", str(cache_directory(PROJECT) / "images.env")]
    done = subprocess.run(
        [*program, *names, "-f", "docker-compose.test.yml", *words],
        cwd=PROJECT,
        env={**os.environ, "WORKFLOW_SCHEDULE": "manual"},
        capture_output=True,
        text=True,
        timeout=COMPOSE_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def project() -> Iterator[str]:
    """A Compose project, up for as long as the test takes."""
    name = f"attached{secrets.token_hex(3)}"
    try:
        compose(name, "up", "--detach")
        yield name
    finally:
        compose(name, "down", "--volumes", "--timeout", "0")


def containers(project: str) -> dict[str, Container]:
    """The project's containers, by service."""
    client = docker.from_env()
    try:
        found = client.containers.list(all=True, filters={"label": f"com.docker.compose.project={project}"})
    finally:
        client.close()
    return {str(each.labels["com.docker.compose.service"]): each for each in found}


def not_running(project: str) -> dict[str, str]:
    """The containers that do not run, with what they do instead; the one that was to run once is left out."""
    found = containers(project)
    return {name: each.status for name, each in found.items() if each.status != "running" and name != ONE_SHOT}


@pytest.mark.docker
@pytest.mark.skipif(
    shutil.which("docker-compose") is None and not Path("/usr/libexec/docker/cli-plugins/docker-compose").exists(),
    reason="needs Docker Compose, as docker-compose or as the engine's plug-in",
)
def test_compose_project_is_drilled_and_left_as_it_was(
    project: str, start_drill: Start, finish: Finish, reports: Path
) -> None:
    """A drill killed under a fault leaves none behind, and the next one passes; every container stays up."""
    before = {name: each.id for name, each in containers(project).items()}
    killed = start_drill("backend-paused", "--attach", project)
    wait_for_event(reports, "fault_on", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait(5)
    gives_up_at_s = time.monotonic() + RESTORED_WITHIN_S
    while down := not_running(project):
        assert time.monotonic() < gives_up_at_s, f"not running {RESTORED_WITHIN_S} s after SIGKILL: {down}"
        time.sleep(POLL_S)
    drilled = finish(start_drill("backend-down", "--attach", project))
    assert drilled.verdicts == {"backend-down": "PASS"}, drilled.said
    assert {name: each.id for name, each in containers(project).items()} == before
    assert not_running(project) == {}
