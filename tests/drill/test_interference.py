"""Drills that happen at once, and accidents in mid-drill."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil
import pytest

Start = Callable[..., "subprocess.Popen[str]"]
DEADLINE_S = 240.0
POLL_S = 0.05


class Drilled(Protocol):
    """What the drill came to, see conftest.py."""

    exit_code: int
    said: str
    report: Path
    verdicts: dict[str, str]
    titles: list[str]


Finish = Callable[["subprocess.Popen[str]"], Drilled]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two stacks of containers at once want a bigger machine than most: only where the long variants run."""
    if "runtime" in metafunc.fixturenames:
        marks = [pytest.mark.docker, pytest.mark.alone("two stacks of containers are all that most machines can take")]
        in_containers = [pytest.param("docker", marks=marks)]
        metafunc.parametrize("runtime", ["local", *(in_containers * metafunc.config.getoption("--thorough"))])


def test_two_drills_at_once_do_not_disturb_each_other(start_drill: Start, finish: Finish, runtime: str) -> None:
    """Two drills on one machine, one of them under a fault, both pass."""
    both = start_drill("healthy", "--runtime", runtime), start_drill("backend-down", "--runtime", runtime)
    first, second = finish(both[0]), finish(both[1])
    assert first.verdicts == {"healthy": "PASS"}, first.said
    assert second.verdicts == {"backend-down": "PASS"}, second.said


def test_toxiproxy_killed_in_mid_drill_is_inconclusive(start_drill: Start, finish: Finish, reports: Path) -> None:
    """A proxy that dies under the drill makes it INCONCLUSIVE with that reason: no PASS, no traceback."""
    harness = start_drill("backend-down")
    wait_for_event(reports, "fault_on", harness)
    proxy_of("workflow -> backend:8000", harness.pid).kill()
    drilled = finish(harness)
    assert drilled.exit_code == 3, drilled.said
    assert "a proxy was lost in mid-drill" in drilled.titles
    assert "Traceback" not in drilled.said


def wait_for_event(reports: Path, kind: str, harness: subprocess.Popen[str]) -> Path:
    """Wait until a history has an event of this kind, and give the history's file."""
    gives_up_at_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < gives_up_at_s:
        for history in reports.glob("*/*/history.jsonl"):
            if re.search(rf'"kind":"{kind}"', history.read_text()):
                return history
        assert harness.poll() is None, f"the harness ended before: {harness.stdout.read() if harness.stdout else ''}"
        time.sleep(POLL_S)
    raise AssertionError(f"no {kind} within {DEADLINE_S} s")


def proxy_of(link: str, harness: int) -> psutil.Process:
    """The Toxiproxy server of a link among the children of a harness."""
    for process in psutil.Process(harness).children(recursive=True):
        if process.environ().get("HARNESS_SERVICE", "").endswith(link):
            return process
    raise AssertionError(f"no Toxiproxy of {link} runs")
