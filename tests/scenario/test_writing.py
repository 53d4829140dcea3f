"""A scenario that is written can be read again, and is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.gherkin.phrases import injection
from harness.scenario.model import Scenario
from harness.scenario.writing import scenario_text, write_scenario

FILES = sorted(Path(__file__).parents[2].joinpath("scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_written_scenario_is_the_same(path: Path) -> None:
    """Every scenario that ships survives."""
    scenario = Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert Scenario.model_validate(yaml.safe_load(scenario_text(scenario))) == scenario


def test_written_fault_keeps_its_settings(tmp_path: Path) -> None:
    """A fault with settings is written with them, into a file with the scenario's name."""
    fault = injection("workflow -> backend", "is 500 ms late", "for 15 s", "once the second connection is made")
    scenario = Scenario(name="late", about="Late.", faults=[fault])
    path = write_scenario(scenario, tmp_path)
    assert path == tmp_path / "late.yaml"
    assert Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))) == scenario
