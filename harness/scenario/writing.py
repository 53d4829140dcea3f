"""Writing a scenario that was made in code as a file, so that it can be drilled again by name."""

from __future__ import annotations

from pathlib import Path

import yaml

from harness.errors import ReportNotWritten
from harness.scenario.loading import SUFFIX
from harness.scenario.model import Scenario


def scenario_text(scenario: Scenario) -> str:
    """The scenario as its file would be written; what is as by default is left out."""
    document = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def write_scenario(scenario: Scenario, directory: Path) -> Path:
    """Write the scenario into a directory, under its name.

    Raises:
        ReportNotWritten: it cannot be written.
    """
    path = directory / f"{scenario.name}{SUFFIX}"
    try:
        path.write_text(scenario_text(scenario), encoding="utf-8")
    except OSError as cause:
        raise ReportNotWritten(f"{path}: the scenario cannot be written: {cause.strerror}") from cause
    return path
