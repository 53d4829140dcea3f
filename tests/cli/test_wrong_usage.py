"""Each thing that a user gets wrong is told in a clear line, with the right exit code, before anything starts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.runtime.session.ports import BLOCK_SIZE, DEFAULT_RANGE, PortBlock, PortRange

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 60
Harness = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """Run a `harness` command with these variables added."""

    def run(
        *arguments: str, preexec: Callable[[], None] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=PROJECT,
            env={**os.environ, "HARNESS_CACHE": str(tmp_path / "cache"), **variables},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            preexec_fn=preexec,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["drill", "backend-dwn"], "no scenario 'backend-dwn': did you mean 'backend-down'?"),
        (["drill", "healthy", "--stack", "none.yml"], "none.yml: cannot be read: No such file or directory"),
        (
            ["drill", "healthy", "--saboteur", "absent"],
            "no saboteur 'absent'; there are: alert_is_counted_as_sent",
        ),
        (
            ["drill", "healthy", "--saboteur", "fault_not_applied"],
            "'fault_not_applied' is a defect of the harness, not of the system: leave --saboteur out",
        ),
        (["drill", "healthy", "--runtime", "teapot"], "'teapot' is not one of 'local'"),
        (["drill", "--frobnicate"], "No such option: --frobnicate"),
        (["drill", "healthy", "--seed", "minus"], "--seed"),
        (["drll"], "No such command 'drll'"),
    ],
)
def test_wrong_usage_is_told_in_a_line(harness: Harness, arguments: list[str], told: str) -> None:
    """Wrong words end with exit code 2 and say what there is."""
    done = harness(*arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_fault_is_told_with_file_line_and_key(harness: Harness, tmp_path: Path) -> None:
    """A fault that does not exist is told where it stands, with those that do."""
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(
        "name: mine\nabout: x\nfaults:\n  - {link: workflow -> backend, is: exploded, for_s: 1}\n", encoding="utf-8"
    )
    done = harness("drill", str(scenario))
    assert done.returncode == 2
    assert f"{scenario}:4: faults.0.is: unknown fault 'exploded'; there are: refused, reset" in done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [('IBKR_PORT: "4002"', 'IBKR_PORT: "4001"'), ('IBKR_PORT: "4002"', 'IBKR_PORT: "7496"'), ("--seed,", "--account, U1234567, --seed,")],
)  # fmt: skip
def test_live_target_is_refused(harness: Harness, tmp_path: Path, old: str, new: str) -> None:
    """A live port or account in the compose file is refused."""
    text = (PROJECT / "docker-compose.test.yml").read_text()
    assert old in text
    compose = tmp_path / "live.yml"
    compose.write_text(text.replace(old, new))
    done = harness("drill", "healthy", "--stack", str(compose))
    assert done.returncode == 2
    assert "only stand-ins and paper accounts" in done.stderr


def test_port_range_that_is_taken_is_told(harness: Harness) -> None:
    """With every port of the range taken, the drill says so and how to go on."""
    block = PortBlock.claim(PortRange.parse(DEFAULT_RANGE))
    taken = f"{block.first}-{block.first + BLOCK_SIZE - 1}"
    try:
        done = harness("drill", "healthy", HARNESS_PORTS=taken, HARNESS_CACHE=str(PROJECT / ".cache"))
    finally:
        block.close()
    assert done.returncode == 3, done.stderr
    assert "are taken" in done.stderr
    assert "HARNESS_PORTS" in done.stderr


def test_full_disk_under_reports_is_told_before_anything_starts(harness: Harness, tmp_path: Path) -> None:
    """A folder into which no report fits ends the drill before the stack starts, and leaves no empty folder."""

    def nothing_may_grow() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    done = harness("drill", "healthy", "--reports", str(tmp_path / "reports"), preexec=nothing_may_grow)
    assert done.returncode == 3, done.stderr
    assert "the report cannot be written" in done.stderr
    assert list((tmp_path / "reports").iterdir()) == []


def test_machine_without_toxiproxy_and_go_is_told(harness: Harness, tmp_path: Path) -> None:
    """Without a Toxiproxy, and nothing to build one with, the drill says what to install."""
    done = harness("drill", "healthy", "--reports", str(tmp_path / "reports"), PATH="/nowhere", HARNESS_UV="")
    assert done.returncode == 3, done.stderr
    assert "Toxiproxy's server is missing and could not be built (no Go on PATH; no uv" in done.stderr
    assert "put Go on PATH, or Toxiproxy 2.x as toxiproxy-server" in done.stderr
    assert list((tmp_path / "reports").iterdir()) == []


def test_status_of_a_file_that_is_not_there_is_no_answer(harness: Harness, tmp_path: Path) -> None:
    """A slip of the keys is not told as a stack that is down."""
    done = harness("status", "--stack", str(tmp_path / "nowhere.yml"))
    assert done.returncode == 2
    assert f"there is no compose file {tmp_path / 'nowhere.yml'}" in done.stderr
