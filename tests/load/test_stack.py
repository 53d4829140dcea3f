"""Loading a whole stack, by the command: the longest tests of this folder, and so the last."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.load.report import LoadDocument

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 300
POLL_S = 0.05

pytestmark = pytest.mark.drill


def start_load(reports: Path, *options: str) -> subprocess.Popen[str]:
    """Start ``harness load``; its table goes to standard error, so that the result alone is on standard output."""
    command = [sys.executable, "-m", "harness", "load", "--json", "--reports", str(reports), *options]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def child_with(harness: subprocess.Popen[str], word: str) -> psutil.Process:
    """Wait for a process of the harness with this word in its command."""
    gives_up_at_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < gives_up_at_s and harness.poll() is None:
        for child in psutil.Process(harness.pid).children():
            with contextlib.suppress(psutil.Error):
                if word in child.cmdline():
                    return child
        time.sleep(POLL_S)
    harness.kill()
    raise AssertionError(f"no process {word!r} was started; the harness said: {harness.communicate()[1]}")


def test_load_with_a_dead_gateway_fails(tmp_path: Path) -> None:
    """Without a broker no run succeeds: the threshold is not met, each run has a cause, and its logs are kept."""
    with start_load(tmp_path, "--runs", "1", "--run-limit-s", "60") as harness:
        # Locust starts when the stack has been reset, and takes a second or two to its first run.
        child_with(harness, "locust")
        child_with(harness, "fixtures.ibkr_gateway").kill()
        said, _ = harness.communicate(timeout=DEADLINE_S)
    result = LoadDocument.model_validate_json(said)
    assert (harness.returncode, result.met, result.succeeded, result.runs) == (1, False, 0, 1)
    assert result.records[0].state == "failed"
    assert "failed" in result.records[0].cause
    report = next(tmp_path.iterdir())
    assert (report / "logs" / "tasks" / result.records[0].run_id / "preflight.log").is_file()


def test_load_real_stack(tmp_path: Path) -> None:
    """Two runs of the workflow succeed, and Locust and the harness tell the same of them."""
    with start_load(tmp_path, "--runs", "2") as harness:
        said, told = harness.communicate(timeout=DEADLINE_S)
    assert harness.returncode == 0, told
    result = LoadDocument.model_validate_json(said)
    assert (result.met, result.runs, result.succeeded) == (True, 2, 2)
    assert {record.outcome for record in result.records} == {"success"}
    assert set(result.task_median_s) >= {"preflight", "place_order", "finalize"}
    report = next(tmp_path.iterdir())
    assert json.loads((report / "load.json").read_text(encoding="utf-8")) == json.loads(said)
    with (report / "locust_stats.csv").open(encoding="utf-8") as file:
        counts = {row["Name"]: (row["Request Count"], row["Failure Count"]) for row in csv.DictReader(file)}
    assert counts["workflow run"] == ("2", "0")
    assert {"load.md", "junit.xml", "locust.html", "locust.log", "runs.jsonl", "logs"} <= {
        path.name for path in report.iterdir()
    }
