"""``harness saboteurs`` counts a defect as caught when its own promise finds it at work, and names every one that was missed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.runtime.cache import VARIABLE, cache_directory

pytestmark = pytest.mark.drill

_HERE = Path(__file__).parent
_PROJECT = _HERE.parents[1]
_HOOK = _PROJECT / "fixtures" / "saboteurs" / "hook"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The folder of a system of a few lines, with its saboteurs."""
    folder = shutil.copytree(_HERE / "system", tmp_path / "system")
    shutil.copytree(_HOOK, folder / "saboteurs" / "hook")
    return folder


def _run(system: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", "saboteurs", *arguments, "--stack", str(system / "compose.yml")]
    return subprocess.run(
        [*command, "--reports", str(system / "reports")],
        cwd=_PROJECT,
        env={**os.environ, VARIABLE: str(cache_directory(_PROJECT))},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def _results(system: Path) -> dict[str, str]:
    lines = (system / "reports" / "saboteurs.jsonl").read_text().splitlines()
    return {each["saboteur"]: each["outcome"] for each in map(json.loads, lines)}


def test_defects_that_their_promise_finds_are_caught(system: Path) -> None:
    """All that were planted are caught, the sound system raises no alarm, and the table says how sure that is."""
    ran = _run(system, "loses", "doubles", "--sound", "2", "--table", "--workers", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert _results(system) == {"loses": "caught", "doubles": "caught", "": "passed"}
    assert "| things | acknowledged-once | 1 | 1 | 2.5 % |" in ran.stdout
    assert "| all |  | 2 | 2 | 15.8 % |" in ran.stdout
    assert "Missed: none. False alarms: 0 in 2 drills of the sound system (at most 84.2 %, 95 %)." in ran.stdout


def test_missed_ones_are_told_by_name_and_reason(system: Path) -> None:
    """A drill that passes, and a finding of another promise, are no catch."""
    ran = _run(system, "harmless", "named-wrongly")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert _results(system) == {"harmless": "passed", "named_wrongly": "found by another promise only"}
    said = ran.stdout
    assert "missed  harmless (acknowledged-once)  calm: passed" in said
    assert "missed  named_wrongly (bounded)  calm: found by another promise only (acknowledged-once: " in said


def test_defect_that_was_not_at_work_proves_nothing(system: Path) -> None:
    """It is planted, its path is never taken, and that ends as what could not be told."""
    ran = _run(system, "never_at_work")
    assert (ran.returncode, _results(system)) == (3, {"never_at_work": "not acted"}), ran.stdout + ran.stderr


def test_what_spoils_a_stack_is_not_told_of_the_next(system: Path) -> None:
    """A defect after which nothing works is told once, and the next one is drilled on a stack of its own."""
    ran = _run(system, "loses", "ends_the_server", "doubles", "--workers", "1")
    found = {"loses": "caught", "ends_the_server": "inconclusive", "doubles": "caught"}
    assert (ran.returncode, _results(system)) == (3, found), ran.stdout + ran.stderr
    made = sorted(path.parent.name for path in (system / "reports").glob("*/*/history.jsonl"))
    again = ["ends_the_server.calm.1", "ends_the_server.calm.1-2"]
    assert made == ["doubles.calm.1", *again, "loses.calm.1"]


def test_what_was_tried_is_left_out_when_it_goes_on(system: Path) -> None:
    """With the same code nothing is drilled twice; other code is drilled anew."""
    assert _run(system, "loses").returncode == 0
    assert "0 drills left" in _run(system, "loses", "--resume").stdout
    with (system / "things.py").open("a") as file:
        file.write("\n# another state of the code\n")
    ran = _run(system, "loses", "--resume")
    assert (ran.returncode, "1 drills left" in ran.stdout) == (0, True), ran.stdout + ran.stderr
