"""What a project that uses the harness writes; the type checkers read it, and nothing runs it."""

from __future__ import annotations

from harness.checks.finding import Finding, Verdict
from harness.drill.runner import DrillRunner
from harness.errors import HarnessError
from harness.report.result import DrillResult
from harness.scenario.model import Scenario


def test_backend_outage_loses_nothing(drill: DrillRunner) -> None:
    """A scenario by its name."""
    drill("backend-down").expect_pass()


def verdict_of(drill: DrillRunner, scenario: Scenario) -> Verdict:
    """A scenario that a program has made, and what it came to."""
    try:
        result: DrillResult = drill(scenario)
    except HarnessError as error:
        raise SystemExit(error.exit_code) from error
    lost: tuple[Finding, ...] = result.of("artifacts-once")
    return Verdict.FAIL if lost else result.verdict
