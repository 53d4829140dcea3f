"""The rows of the table of scenarios: what goes wrong in each, and how it may end."""

from __future__ import annotations

from pathlib import Path

import yaml

from harness.reference.rows import Rows
from harness.scenario.model import Injection, Scenario

FOLDER = Path(__file__).parents[2] / "scenarios"


def scenario_rows(folder: Path = FOLDER) -> Rows:
    """One row for each scenario of a folder.

    Args:
        folder: where the scenario files are.
    """
    files = sorted(folder.glob("*.yaml"))
    scenarios = (Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files)
    return [("scenario", "about", "what goes wrong", "may end as"), *(_row(scenario) for scenario in scenarios)]


def _row(scenario: Scenario) -> tuple[str, str, str, str]:
    wrong = "; ".join(_shown(injection) for injection in scenario.faults) or "nothing"
    return f"`{scenario.name}`", scenario.about, wrong, ", ".join(scenario.outcomes)


def _shown(injection: Injection) -> str:
    written = injection.fault.as_written()
    name = next(iter(written))
    shown = f"{name}: {written[name]}" if injection.fault.SPELLED_FLAT else name
    return f"{injection.target.replace('->', '→')}: `{shown}`"
