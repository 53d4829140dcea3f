"""A scenario with a fault that the runtime cannot do is skipped, by name and before anything of it starts."""

from __future__ import annotations

from pathlib import Path

from harness.checks.finding import Verdict
from harness.drill.again import drill_again
from harness.report.figures import faults_of
from harness.report.result import DrillResult
from harness.runtime.effects.registry import cannot_do
from harness.runtime.running import RuntimeName
from harness.scenario.model import Scenario


def why_skipped(scenario: Scenario, runtime: RuntimeName) -> str | None:
    """None for a scenario that a runtime can drill; else what it cannot do."""
    missing = cannot_do(runtime, [injection.fault for injection in scenario.faults])
    if not missing:
        return None
    return f"the {runtime} runtime cannot do {', '.join(missing)}: drill with --runtime docker"


def skipped(scenario: Scenario, reason: str, *, seed: int, stack: Path, report: Path) -> DrillResult:
    """The result of a scenario that was skipped: neither passed nor failed."""
    return DrillResult(
        scenario=scenario.name,
        about=scenario.about,
        faults=faults_of(scenario),
        verdict=Verdict.SKIPPED,
        seed=seed,
        again=drill_again(scenario.name, seed=seed, stack=stack, runtime=RuntimeName.DOCKER),
        skipped=reason,
        report=report,
    )
