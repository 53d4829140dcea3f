"""The parts work together as Airflow, and end when they are told to."""

from __future__ import annotations

import signal
import sys
import time

import psutil
import pytest

from tests.airflow.parts import Parts


def _task_of(airflow: Parts, run: str) -> psutil.Process:
    """Start an endless task, and find its process."""
    airflow.trigger("endless", run)
    airflow.wait_for("the task", lambda: airflow.mark(run).exists() and airflow.mark(run).read_text() != "")
    return psutil.Process(int(airflow.mark(run).read_text()))


def test_run_succeeds_through_all_parts(airflow: Parts) -> None:
    """A triggered run is parsed, scheduled, executed through the execution API, and reported as a success."""
    airflow.trigger("trivial", "first")
    airflow.wait_for(
        "the run's success",
        lambda: airflow.call("GET", "/dags/trivial/dagRuns/first").json()["state"] == "success",
    )
    log = airflow.call("GET", "/dags/trivial/dagRuns/first/taskInstances/two/logs/1").json()
    assert any(entry.get("event") == "two" for entry in log["content"])


def test_execution_api_is_warm_when_the_server_listens(airflow: Parts) -> None:
    """The first task does not pay for the building of its API's routes."""
    began = time.monotonic()
    assert airflow.serves("/execution/health")
    # 5 s when it is built on the first request.
    assert time.monotonic() - began < 2


def test_password_file_is_private_and_ours(airflow: Parts) -> None:
    """Airflow takes the password that it was given, and no other user can read it."""
    passwords = airflow.folder / "home" / "passwords.json"
    assert passwords.stat().st_mode & 0o777 == 0o600
    assert "admin-for-tests" in passwords.read_text()
    assert "Password for user" not in airflow.log("api-server").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_killed_scheduler_takes_its_tasks_along(airflow: Parts) -> None:
    """A task that outlived its scheduler could go on trading unseen."""
    task = _task_of(airflow, "killed")
    assert airflow.end("scheduler", signal.SIGKILL) == -signal.SIGKILL
    psutil.wait_procs([task], timeout=5)
    assert not task.is_running()
    airflow.start("scheduler")


def test_scheduler_does_not_wait_for_an_endless_task(airflow: Parts) -> None:
    """SIGTERM ends the scheduler, its workers and their tasks within seconds."""
    task = _task_of(airflow, "stopped")
    family = psutil.Process(airflow.running["scheduler"].pid).children(recursive=True)
    assert task in family
    began = time.monotonic()
    assert airflow.end("scheduler", signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    airflow.start("scheduler")


@pytest.mark.parametrize("part", ["dag-processor", "api-server"])
def test_part_ends_in_order_on_sigterm(airflow: Parts, part: str) -> None:
    """A stop takes seconds at most, and leaves no child."""
    family = psutil.Process(airflow.running[part].pid).children(recursive=True)
    began = time.monotonic()
    assert airflow.end(part, signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
