"""Load profiles: read whole, or refused with the place of the error."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.loading import outweigh
from harness.errors import ScenarioError, UsageError
from harness.load.plan import LoadPlan, load_profile

SHIPPED = sorted(Path(__file__).parents[2].joinpath("scenarios", "load").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_profile_that_ships_is_right(path: Path) -> None:
    """By name and by path it is the same."""
    assert load_profile(path.stem, path.parent) == load_profile(str(path), Path())


def test_profile_unknown_names_those_that_there_are(tmp_path: Path) -> None:
    """The reader sees what to write instead."""
    (tmp_path / "calm.yaml").write_text("runs: 2\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"no load profile 'storm': there are: calm"):
        load_profile("storm", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs: 2\nsuccess_threshold: 95\n", r"storm\.yaml:2: success_threshold: .*less than or equal to 1"),
        ("runs: 2\nsymbol: [AAPL]\n", r"storm\.yaml:2: symbol: unknown key; did you mean 'symbols'"),
        ("runs: 0\n", r"storm\.yaml:1: runs"),
    ],
)
def test_profile_wrong_names_file_line_and_key(text: str, message: str, tmp_path: Path) -> None:
    """An error can be clicked on."""
    path = tmp_path / "storm.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        load_profile(str(path), tmp_path)


def test_options_outweigh_the_profile() -> None:
    """What is not given stays as the profile has it."""
    plan = LoadPlan(runs=10, success_threshold=0.5)
    assert outweigh(plan, runs=3, symbols=None) == LoadPlan(runs=3, success_threshold=0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "--runs: .*greater than or equal to 1, got 0"),
        ({"success_threshold": 95.0}, r"--success-threshold: .*less than or equal to 1, got 95\.0"),
        ({"run_limit_s": -1.0}, "--run-limit-s"),
        ({"symbols": []}, "--symbols"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    """The error names the option as it is typed."""
    with pytest.raises(UsageError, match=message):
        outweigh(LoadPlan(), **options)
