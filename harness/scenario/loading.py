"""Finding scenario files and reading them, against the stack that they will run on."""

from __future__ import annotations

import difflib
from pathlib import Path

from harness.checks.registry import checkable, known_promises, missing_adapters
from harness.errors import ScenarioError, StackError
from harness.faults.gateway.fault import GatewayFault
from harness.scenario.model import Scenario
from harness.scenario.overlaps import overlaps
from harness.scenario.triggers import NthRequest, OrderAtBroker, TaskState, Trigger
from harness.stack.adapters import Adapters
from harness.stack.source import Source, read_source, validate
from harness.stack.stack import Stack

SUFFIX = ".yaml"


def list_scenarios(directory: Path) -> tuple[str, ...]:
    """The names of the scenarios in a directory, sorted."""
    return tuple(sorted(path.stem for path in directory.glob(f"*{SUFFIX}")))


def load_scenario(name: str, directory: Path, stack: Stack) -> Scenario:
    """Read the scenario called ``name``, or the file of that path.

    Raises:
        ScenarioError: there is none, or it is wrong; the message names file, line, key and what is allowed.
    """
    path = Path(name) if name.endswith(SUFFIX) else directory / f"{name}{SUFFIX}"
    if not path.is_file():
        known = list_scenarios(directory)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ScenarioError(f"no scenario {name!r}: {hint}there are: {', '.join(known) or 'none'} (in {directory})")
    source = read_source(path, ScenarioError)
    scenario = validate(source, Scenario, ScenarioError)
    if scenario.name != path.stem:
        raise ScenarioError(f"{source.where(('name',))}: is {scenario.name!r}, but the file is called {path.name!r}")
    check_against(scenario, stack, source)
    return scenario


def check_against(scenario: Scenario, stack: Stack, source: Source | None = None) -> None:
    """Find names in a scenario that the stack does not know.

    Raises:
        ScenarioError: names the place and what there is.
    """
    _check_promises(scenario, stack, source)
    if scenario.broker.model_fields_set and stack.adapters.gateway is None:
        where = _where(source, scenario, ("broker",))
        raise ScenarioError(
            f"{where}: is about the gateway stub, and {stack.path.name} names none in x-harness.adapters.gateway"
        )
    artifacts = stack.adapters.artifacts
    tasks = [*artifacts.per_symbol, *artifacts.per_run] if artifacts else []
    for index, injection in enumerate(scenario.faults):
        at = ("faults", index)
        try:
            injection.target_kind.name_in(stack, injection.target)
        except StackError as cause:
            where = _where(source, scenario, (*at, injection.fault.TARGET))
            raise ScenarioError(f"{where}: {cause}") from cause
        if isinstance(injection.fault, GatewayFault) and (why := _no_stub(injection.target, stack)):
            raise ScenarioError(f"{_where(source, scenario, (*at, 'service'))}: {why}")
        task = getattr(injection.start, "task", None)
        if needed := _missing_for_trigger(injection.start, stack.adapters):
            where = _where(source, scenario, (*at, "from"))
            raise ScenarioError(f"{where}: needs x-harness.adapters.{needed}, which {stack.path.name} does not name")
        if task is not None and tasks and task not in tasks:
            where = _where(source, scenario, (*at, "from", "task"))
            raise ScenarioError(f"{where}: {task!r} is not a task of the workflow; there are: {', '.join(tasks)}")
    for overlap in overlaps(scenario.faults, stack):
        where = _where(source, scenario, ("faults", overlap.second))
        raise ScenarioError(
            f"{where}: would be on together with faults.{overlap.first} on {overlap.held}, which takes one fault at a "
            "time: let one end before the other begins"
        )


def _check_promises(scenario: Scenario, stack: Stack, source: Source | None) -> None:
    known = checkable(stack.adapters)
    for index, name in enumerate(scenario.promises):
        where = _where(source, scenario, ("promises", index))
        if name not in known and name in known_promises():
            needed = " and ".join(f"x-harness.adapters.{each}" for each in missing_adapters(name, stack.adapters))
            raise ScenarioError(
                f"{where}: {name!r} cannot be checked: {stack.path.name} does not name {needed}; "
                f"what can be: {', '.join(known)}"
            )
        if name not in known:
            raise ScenarioError(f"{where}: there is no promise {name!r}; there are: {', '.join(known)}")


def _no_stub(service: str, stack: Stack) -> str | None:
    """Why a service cannot be given a fault of the gateway; None where it can."""
    stub = stack.adapters.gateway.service if stack.adapters.gateway else None
    if stub is None:
        return f"a fault of the gateway needs x-harness.adapters.gateway, which {stack.path.name} does not name"
    if stub != service:
        return f"{service!r} is not the gateway stub: x-harness.adapters.gateway names {stub!r}"
    if not stack.links_to(service):
        return f"no link leads to {service!r}, so that nothing would show that the fault hit the system"
    return None


def _missing_for_trigger(trigger: Trigger, adapters: Adapters) -> str | None:
    """The adapter without which it could not be told that a trigger has happened."""
    if isinstance(trigger, TaskState) and adapters.airflow is None:
        return "airflow"
    if isinstance(trigger, OrderAtBroker | NthRequest) and adapters.gateway is None:
        return "gateway"
    return None


def _where(source: Source | None, scenario: Scenario, path: tuple[str | int, ...]) -> str:
    return source.where(path) if source else f"{scenario.name}: {'.'.join(str(key) for key in path)}"
