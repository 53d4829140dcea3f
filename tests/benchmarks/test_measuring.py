"""A measurement that cannot be made, or that fails, costs the others nothing, and is told."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import MEASUREMENTS, NEED_ENGINE
from benchmarks.bench import Bench
from benchmarks.measurement import Row
from benchmarks.measuring import Measured, measurable, measure_all
from benchmarks.table import document, print_table
from harness.drill.description import describe
from harness.errors import DeadlineExceeded
from harness.report.terminal import TerminalProgress

PROJECT = Path(__file__).parents[2]
DEADLINE_S = 120
NO_ENGINE = "no Docker engine answers"


async def _good(_: Bench) -> Sequence[Row]:
    return [Row("something", (1.0, 2.0), "s")]


async def _late(_: Bench) -> Sequence[Row]:
    raise DeadlineExceeded("it was not there within 5 s", evidence="its last words")


async def _wrong(_: Bench) -> Sequence[Row]:
    return [Row("nothing", (1.0 / len(()),), "s")]


def bench() -> Bench:
    """On the project's stack, which is not started."""
    return Bench(describe(PROJECT / "docker-compose.test.yml", seed=0), TerminalProgress(Console(quiet=True)))


def test_failure_of_one_measurement_loses_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """The figures before it and after it are printed and written down, with what failed and why."""
    measured = Measured()
    asyncio.run(measure_all(bench(), {"a": _good, "b": _late, "c": _wrong, "d": _good}, measured))
    assert [row.what for row in measured.rows] == ["something", "something"]
    assert [(each.name, each.why) for each in measured.failed] == [
        ("b", "it was not there within 5 s"),
        ("c", "ZeroDivisionError: float division by zero"),
    ]
    assert "test_measuring.py" in measured.failed[1].evidence
    written = document(measured, (0.1, 0.2)).model_dump()
    assert (len(written["rows"]), [each["name"] for each in written["failed"]]) == (2, ["b", "c"])
    print_table(Console(width=140), measured, (0.1, 0.2))
    said = capsys.readouterr().out
    assert said.count("something") == 2
    assert "failed  b: it was not there within 5 s\nits last words" in said


def test_interruption_loses_no_figures() -> None:
    """What was measured until then is there."""

    async def broken_off(_: Bench) -> Sequence[Row]:
        raise asyncio.CancelledError

    measured = Measured()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(measure_all(bench(), {"a": _good, "b": broken_off, "c": _good}, measured))
    assert len(measured.rows) == 1


def test_without_an_engine_what_needs_one_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All the rest is measured; the reason is the one that a drill would give."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    measured = Measured()
    names = measurable(list(MEASUREMENTS), NEED_ENGINE, measured)
    assert set(names) == set(MEASUREMENTS) - NEED_ENGINE
    assert {each.name for each in measured.left_out} == NEED_ENGINE
    assert all(each.why.startswith(NO_ENGINE) for each in measured.left_out)


def test_engine_is_not_looked_for_where_nothing_needs_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what was asked for counts."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    measured = Measured()
    assert measurable(["spool"], NEED_ENGINE, measured) == ["spool"]
    assert measured.left_out == []


def test_command_says_what_it_left_out(tmp_path: Path) -> None:
    """Asked for by name, what cannot be measured makes the exit code 3; the report is written all the same."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "containers", "--reports", str(tmp_path)],
        cwd=PROJECT,
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"left out  containers: {NO_ENGINE}" in done.stdout
    (report,) = tmp_path.glob("*/bench.json")
    assert json.loads(report.read_text())["left_out"][0]["name"] == "containers"
