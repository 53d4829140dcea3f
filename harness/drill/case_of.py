"""From a scenario, a stack, and what happened to the case that is judged."""

from __future__ import annotations

from harness.checks.case import Case
from harness.checks.finding import PlannedFault
from harness.history.history import History
from harness.history.reads import FinalReads
from harness.history.roles import RunRole
from harness.scenario.model import Scenario
from harness.stack.stack import Stack


def planned_faults(scenario: Scenario, stack: Stack) -> tuple[PlannedFault, ...]:
    """The faults of a scenario, as the history names them."""
    return tuple(
        PlannedFault(
            id=f"fault-{number}",
            target=injection.target_kind.name_in(stack, injection.target),
            about=injection.fault.about,
        )
        for number, injection in enumerate(scenario.faults, start=1)
    )


def case_of(scenario: Scenario, stack: Stack, history: History, reads: FinalReads) -> Case:
    """Everything that checks may look at."""
    return Case(
        drilled_run=next((run.run_id for run in reads.runs.values() if run.role is RunRole.DRILLED), ""),
        faults=planned_faults(scenario, stack),
        outcomes=_outcomes(scenario, stack),
        run_limit_s=scenario.run_limit_s,
        recovery_limit_s=scenario.recovery_limit_s,
        adapters=stack.adapters,
        history=history,
        reads=reads,
    )


def _outcomes(scenario: Scenario, stack: Stack) -> tuple[str, ...]:
    """How the drilled run may end: under a fault, the run of a system that keeps no word of its own may end as it does.

    Unless the scenario says it all the same.
    """
    known = stack.adapters.outcome is not None or "outcomes" in scenario.model_fields_set
    return tuple(scenario.outcomes) if known or not scenario.faults else ()
