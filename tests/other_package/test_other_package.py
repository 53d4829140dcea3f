"""A package outside the repository adds two faults and a check by entry points; no line of the harness knows of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.runtime.cache import VARIABLE, cache_directory

pytestmark = pytest.mark.drill

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
DEADLINE_S = 180


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built as a wheel and unpacked, which is all that an installation of it does."""
    home = tmp_path_factory.mktemp("package")
    source = shutil.copytree(HERE / "package", home / "source")
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home)]
    subprocess.run(built, cwd=source, check=True, capture_output=True, timeout=DEADLINE_S)
    with zipfile.ZipFile(next(home.glob("*.whl"))) as wheel:
        wheel.extractall(home / "site")
    return home / "site"


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """The compose file of a copy of the system."""
    return shutil.copytree(HERE / "system", tmp_path / "system") / "compose.yml"


def run(site: Path, *command: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python with the package installed."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": path, VARIABLE: str(cache_directory(PROJECT)), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def test_package_passes_the_contract_suites(site: Path, system: Path) -> None:
    """Its own tests hold its faults and its check to what ours are held to."""
    done = run(
        site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(system.parent),
        str(site.parent / "source" / "tests"), "--drill-stack", str(system),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_package_is_listed(site: Path) -> None:
    """Its faults stand among ours, with what they say of themselves."""
    said = run(site, "-m", "harness", "list", "--faults", variables={"COLUMNS": "200"}).stdout
    # Its sentence is broken over the lines of its cell, however wide that is.
    lines = [line.split("│") for line in said.splitlines() if line.startswith("│")]
    first = next(number for number, cells in enumerate(lines) if cells[1].strip() == "cut-short")
    words = [cells[4].strip() for cells in lines[first : first + 6]]
    assert "connections end in the place of an answer" in " ".join(words)
    assert "dozes off" in said


@pytest.mark.parametrize(("broken", "verdict", "exit_code"), [("no", "PASS", 0), ("yes", "FAIL", 1)])
def test_package_is_drilled_with(site: Path, system: Path, broken: str, verdict: str, exit_code: int) -> None:
    """Scenarios name its faults and its promise; the promise is what finds the defect."""
    reports = system.parent / "reports"
    options = ["--stack", str(system), "--reports", str(reports), "--json"]
    done = run(site, "-m", "harness", "drill", *options, variables={"BROKEN": broken})
    rows = json.loads(done.stdout or "[]")
    assert {row["scenario"]: row["verdict"] for row in rows} == {"cut": verdict, "dozing": verdict}, done.stderr
    assert done.returncode == exit_code
    assert all(row["hits"] for row in rows)
    if broken == "yes":
        found = {finding["check"] for row in rows for finding in row["findings"]}
        assert "named-by-run" in found


def test_package_that_is_not_there_is_missed(system: Path, tmp_path: Path) -> None:
    """Without it, its fault is unknown, and the error says where it was named."""
    done = run(tmp_path, "-m", "harness", "drill", "--stack", str(system), "--reports", str(tmp_path / "reports"))
    assert done.returncode == 2
    assert "cut.yaml:5: faults.0.is: unknown fault 'cut-short'; there are: refused, reset" in done.stderr


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("cut-short = harness_extras.cut_short:Nothing", "'cut-short' of harness.faults in harness-extras cannot be loaded"),
        ("cut-short = harness_extras:__doc__", "should be a type"),
        ("shorter = harness_extras.cut_short:CutShort", "is a fault called 'cut-short': call both the same"),
    ],
)  # fmt: skip
def test_entry_point_that_is_wrong_is_one_line(site: Path, tmp_path: Path, entry: str, said: str) -> None:
    """The package and the entry point are named, and nothing starts."""
    spoiled = shutil.copytree(site, tmp_path / "site")
    (points,) = spoiled.glob("*.dist-info/entry_points.txt")
    points.write_text(f"[harness.faults]\n{entry}\n")
    done = run(spoiled, "-m", "harness", "list", "--faults")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
