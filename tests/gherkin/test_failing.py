"""What pytest shows of a failed drill is for people: the step, what is wrong, where to look, and no code of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FEATURE = """
Feature: Words
  Scenario: Without meaning
    Given "workflow -> backend" is refused for 15 s once upon a time
"""
FAILING = """
from harness.report.result import DrillFailed

def test_drill():
    raise DrillFailed("FAIL backend-down\\n\\nartifacts-once: an artifact was lost")
"""


def run_pytest(directory: Path, **files: str) -> list[str]:
    """Run pytest over some files, and give the lines of its output."""
    for name, text in files.items():
        (directory / name.replace("_dot_", ".")).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--rootdir", str(directory), "-p", "no:cacheprovider", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_feature_with_a_wrong_phrase_shows_the_step(tmp_path: Path) -> None:
    """Its line in the feature and what is allowed, and no Python."""
    lines = run_pytest(
        tmp_path,
        words_dot_feature=FEATURE,
        conftest_dot_py="from harness.gherkin.steps import *",
        test_words_dot_py='from pytest_bdd import scenarios\nscenarios("words.feature")',
    )
    step = next(index for index, line in enumerate(lines) if "words.feature:4: Given" in line)
    assert "no phrase says 'once upon a time' as the start of a fault" in lines[step + 1]
    assert not [line for line in lines if "phrases.py" in line or line.startswith("E ")]


def test_failed_drill_shows_its_findings(tmp_path: Path) -> None:
    """The test's line, then the findings as they are."""
    lines = run_pytest(tmp_path, test_drill_dot_py=FAILING)
    at = next(index for index, line in enumerate(lines) if line == "test_drill.py:5")
    assert lines[at + 1 : at + 4] == ["FAIL backend-down", "", "artifacts-once: an artifact was lost"]
    assert not [line for line in lines if line.startswith(("E ", ">"))]


def test_stack_that_cannot_be_drilled_is_told_in_a_line(tmp_path: Path) -> None:
    """What keeps a drill from its work is for people as well, in a test without a feature too."""
    lines = run_pytest(
        tmp_path,
        pytest_dot_ini="[pytest]\naddopts = --drill-stack nowhere.yml",
        test_drill_dot_py="def test_drill(drill):\n    drill('calm')\n",
    )
    assert "nowhere.yml: cannot be read: No such file or directory" in lines
    assert not [line for line in lines if line.startswith(("E ", ">"))]
