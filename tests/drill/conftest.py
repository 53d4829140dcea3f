"""Running the harness as its users do: as a command, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.drill.small_stack import SmallStack

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 300


@pytest.fixture(scope="session", autouse=True)
def hangups_are_heard() -> None:
    """What is started hears a hangup, as from a terminal, also where the tests themselves were started with nohup."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@dataclass(frozen=True)
class Drilled:
    """What a `harness drill` command came to.

    Args:
        exit_code: its exit code.
        said: what it printed.
        report: the folder of its report.
        verdicts: the verdict of each scenario.
        titles: the titles of all findings.
    """

    exit_code: int
    said: str
    report: Path
    verdicts: dict[str, str]
    titles: list[str]


Start = Callable[..., "subprocess.Popen[str]"]
Finish = Callable[["subprocess.Popen[str]"], Drilled]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory for the sessions of this test alone; other users may pass through it, as Postgres must."""
    with tempfile.TemporaryDirectory(prefix="drills-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Where reports of this test go."""
    return tmp_path / "reports"


@pytest.fixture
def small_stack(tmp_path: Path, home: Path, starts_a_stack: None) -> Iterator[SmallStack]:
    """A stack of two local processes and one link, written into a folder."""
    stack = SmallStack(tmp_path / "small", home)
    stack.write()
    yield stack
    stack.close()


@pytest.fixture
def start_drill(reports: Path, starts_a_stack: None) -> Iterator[Start]:
    """Start `harness drill` with these arguments and variables; one that a test leaves running is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", "drill", *arguments, "--reports", str(reports)],
            cwd=PROJECT,
            env={**environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            psutil.Process(process.pid).terminate()
        process.communicate(timeout=60)


@pytest.fixture
def finish(reports: Path) -> Finish:
    """Wait for the end of a `harness drill` and read its report."""

    def wait(process: subprocess.Popen[str]) -> Drilled:
        said, _ = process.communicate(timeout=DEADLINE_S)
        written = sorted(reports.glob("*/verdict.json"), key=lambda path: path.stat().st_mtime)
        mine = [path for path in written if str(path.parent) in said]
        assert mine, f"no report; exit code {process.returncode}; it said:\n{said}"
        found = json.loads(mine[-1].read_text())
        return Drilled(
            exit_code=process.returncode,
            said=said,
            report=mine[-1].parent,
            verdicts={each["scenario"]: each["verdict"] for each in found},
            titles=[finding["title"] for each in found for finding in each["findings"]],
        )

    return wait
