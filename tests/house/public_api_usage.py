"""What a project that uses the harness writes; the type checkers read it, and nothing runs it."""

from __future__ import annotations

from harness.checks.finding import Verdict
from harness.drill.outcome import Outcome
from harness.drill.runner import DrillRunner
from harness.errors import HarnessError
from harness.scenario.model import Scenario


def test_backend_outage_loses_nothing(drill: DrillRunner) -> None:
    """A scenario by its name."""
    drill("backend-down").expect_pass()


def verdict_of(drill: DrillRunner, scenario: Scenario) -> Verdict:
    """A scenario that a program has made, and what it came to."""
    try:
        outcome: Outcome = drill(scenario)
    except HarnessError as error:
        raise SystemExit(error.exit_code) from error
    lost: tuple[str, ...] = outcome.of("artifacts-once")
    return Verdict.FAIL if lost else outcome.verdict
