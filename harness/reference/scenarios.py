"""The page of the scenarios: ``python -m harness.reference.scenarios > docs/scenarios.md`` makes it anew."""

from __future__ import annotations

from pathlib import Path

import yaml

from harness.scenario.model import Injection, Scenario

_HEAD = """\
# Scenarios

What `scenarios/` holds. `harness drill NAME` drills one, `harness list` lists them.

| scenario | about | what goes wrong | may end as |
| --- | --- | --- | --- |
"""


def scenarios_page(folder: Path) -> str:
    """Write the page: one row for each scenario of a folder.

    Args:
        folder: where the scenario files are.
    """
    files = sorted(folder.glob("*.yaml"))
    return _HEAD + "".join(
        _row(Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))) for path in files
    )


def _row(scenario: Scenario) -> str:
    wrong = "; ".join(_shown(injection) for injection in scenario.faults) or "nothing"
    return f"| `{scenario.name}` | {scenario.about} | {wrong} | {', '.join(scenario.outcomes)} |\n"


def _shown(injection: Injection) -> str:
    written: str | dict[str, object] = injection.model_dump(mode="json", by_alias=True)["is"]
    name = written if isinstance(written, str) else next(iter(written))
    return f"{injection.target.replace('->', '→')}: `{name}`"


if __name__ == "__main__":
    print(scenarios_page(Path("scenarios")), end="")  # noqa: T201 - it is a program
