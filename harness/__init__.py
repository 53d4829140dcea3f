"""A chaos and integration test harness: drills of a running system, from Python, and faults and checks of your own.

    from harness import DrillRunner

    with DrillRunner.open("docker-compose.test.yml") as drill:
        drill("backend-down").expect_pass()

What is in ``__all__`` is public, with ``harness.testing`` (the contract suites) and ``harness.gherkin.steps``. A fault
or a check of another package is named under the entry points ``harness.faults`` and ``harness.checks``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.checks.case import Case
    from harness.checks.check import Check
    from harness.checks.finding import Finding, Verdict, Weight
    from harness.drill.runner import DrillRunner
    from harness.errors import HarnessError
    from harness.faults.link.fault import LinkFault
    from harness.faults.service.fault import ServiceFault
    from harness.faults.toxic import Toxic
    from harness.report.result import DrillResult
    from harness.runtime.effects.effect import Observation
    from harness.runtime.effects.service import ServiceEffect
    from harness.runtime.running import RuntimeName
    from harness.scenario.model import Scenario

__all__ = [
    "Case",
    "Check",
    "DrillResult",
    "DrillRunner",
    "Finding",
    "HarnessError",
    "LinkFault",
    "Observation",
    "RuntimeName",
    "Scenario",
    "ServiceEffect",
    "ServiceFault",
    "Toxic",
    "Verdict",
    "Weight",
]

# Imported at their first use: the reaper and the pytest plugin live in this package, too, and must be there at once.
_HOMES: Mapping[str, str] = {
    "Case": "harness.checks.case",
    "Check": "harness.checks.check",
    "DrillResult": "harness.report.result",
    "DrillRunner": "harness.drill.runner",
    "Finding": "harness.checks.finding",
    "HarnessError": "harness.errors",
    "LinkFault": "harness.faults.link.fault",
    "Observation": "harness.runtime.effects.effect",
    "RuntimeName": "harness.runtime.running",
    "Scenario": "harness.scenario.model",
    "ServiceEffect": "harness.runtime.effects.service",
    "ServiceFault": "harness.faults.service.fault",
    "Toxic": "harness.faults.toxic",
    "Verdict": "harness.checks.finding",
    "Weight": "harness.checks.finding",
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
