"""Saboteurs: defects planted on purpose, to prove that the promise that should find each of them does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

PROJECT = Path(__file__).parents[2]
HOOK = PROJECT / "fixtures" / "saboteurs" / "hook"
# As many as four minutes are enough for beside other tests.
SAMPLE = 4
DEADLINE_S = 900
Start = Callable[..., "subprocess.Popen[str]"]


class Drilled(Protocol):
    """What the drill came to, see conftest.py."""

    exit_code: int
    said: str
    report: Path
    verdicts: dict[str, str]
    titles: list[str]


Finish = Callable[["subprocess.Popen[str]"], Drilled]


def test_saboteurs_of_the_day_are_caught(
    tmp_path: Path, starts_a_stack: None, record_property: Callable[[str, object], None]
) -> None:
    """A sample that is another one each day: every saboteur of it is found by its named promise."""
    seed = datetime.now(UTC).date().toordinal()
    record_property("seed", seed)
    command = [sys.executable, "-m", "harness", "saboteurs", "--sample", str(SAMPLE), "--seed", str(seed)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [*command, "--reports", str(tmp_path)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    missed = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("missed")]
    again = f"again  harness saboteurs --sample {SAMPLE} --seed {seed}"
    assert (done.returncode, missed) == (0, []), f"{done.stdout}\n{done.stderr}\n{again}"


def test_saboteur_in_a_drill_is_found(start_drill: Start, finish: Finish) -> None:
    """A defect that is planted by hand makes its drill FAIL, a finding names what was lost, and logs have the proof."""
    drilled = finish(start_drill("backend-down", "--saboteur", "client_without_spool"))
    assert (drilled.exit_code, drilled.verdicts) == (1, {"backend-down": "FAIL"}), drilled.said
    assert drilled.titles[0] == "an artifact was lost", drilled.said
    logs = [log.read_text(errors="replace") for log in drilled.report.glob("*/logs/**/*.log")]
    assert any("saboteur planted: client_without_spool in " in log for log in logs), "it was not planted"
    assert any("saboteur acted: client_without_spool" in log for log in logs), "it was not at work"


def test_saboteur_in_the_harness_is_inconclusive(start_drill: Start, finish: Finish) -> None:
    """A fault that the harness says is on, and is not, makes the drill INCONCLUSIVE."""
    drilled = finish(start_drill("backend-down", PYTHONPATH=str(HOOK), SABOTEUR="fault_not_applied"))
    assert (drilled.exit_code, drilled.verdicts) == (3, {"backend-down": "INCONCLUSIVE"}), drilled.said
    assert any("did not hit: it was switched on but not in effect" in title for title in drilled.titles), drilled.said
