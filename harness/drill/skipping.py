"""A scenario with a fault that the runtime cannot do is skipped, by name and before anything of it starts."""

from __future__ import annotations

from harness.checks.finding import Verdict
from harness.report.summary import Summary, faults_of
from harness.runtime.effects.registry import cannot_do
from harness.runtime.running import RuntimeName
from harness.scenario.model import Scenario


def why_skipped(scenario: Scenario, runtime: RuntimeName) -> str | None:
    """None for a scenario that a runtime can drill; else what it cannot do."""
    missing = cannot_do(runtime, [injection.fault for injection in scenario.faults])
    if not missing:
        return None
    return f"the {runtime} runtime cannot do {', '.join(missing)}: drill with --runtime docker"


def skipped(scenario: Scenario, reason: str, seed: int) -> Summary:
    """The row of a scenario that was skipped: neither passed nor failed."""
    return Summary(
        scenario=scenario.name,
        about=scenario.about,
        faults=faults_of(scenario),
        bit=None,
        healed_ms=None,
        recovery_s=None,
        promises=0,
        kept=0,
        verdict=Verdict.SKIPPED,
        findings=(),
        seed=seed,
        took_s=0.0,
        folder="",
        again=f"harness drill {scenario.name} --seed {seed} --runtime docker",
        skipped=reason,
    )
