"""The whole suite of scenarios, on local processes and on containers: a scenario does not know which.

Each is a test of its own. Those of a runtime share a stack that stays up, as a user's tests do by the `drill` fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.drill.description import describe
from harness.drill.runner import DrillRunner
from harness.drill.skipping import why_skipped
from harness.runtime.running import RuntimeName
from harness.scenario.loading import list_scenarios, load_scenario

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "docker-compose.test.yml"
FOLDER = PROJECT / "scenarios"
STACK = describe(COMPOSE, seed=0)
EVERY = {name: load_scenario(name, FOLDER, STACK) for name in list_scenarios(FOLDER)}
# What a runtime cannot do is known beforehand: nothing is skipped, and tests/faults holds the reasons against it.
DRILLED = {
    runtime: [name for name, scenario in EVERY.items() if why_skipped(scenario, runtime) is None]
    for runtime in RuntimeName
}
FIXTURES = {RuntimeName.LOCAL: "drill", RuntimeName.DOCKER: "drill_in_containers"}
MARKS = {RuntimeName.LOCAL: [pytest.mark.drill], RuntimeName.DOCKER: [pytest.mark.drill, pytest.mark.docker]}


@pytest.fixture(scope="session")
def drill_in_containers(request: pytest.FixtureRequest, starts_a_stack: None) -> Iterator[DrillRunner]:
    """The stack in containers, kept until the worker has nothing more to do."""
    reports, seed = (request.config.getoption(name) for name in ("--drill-reports", "--drill-seed"))
    with DrillRunner.open(COMPOSE, reports=reports, seed=seed, runtime=RuntimeName.DOCKER) as runner:
        yield runner


@pytest.mark.parametrize(
    ("runtime", "scenario"),
    [
        pytest.param(runtime, name, id=f"{runtime}-{name}", marks=MARKS[runtime])
        for runtime, names in DRILLED.items()
        for name in names
    ],
)
def test_scenario_passes(request: pytest.FixtureRequest, runtime: RuntimeName, scenario: str) -> None:
    """Its promises hold under its faults, after a steady run of its own."""
    drill: DrillRunner = request.getfixturevalue(FIXTURES[runtime])
    drill(scenario).expect_pass()


def test_every_scenario_is_drilled() -> None:
    """In containers every one of them, and as local processes all that need no container."""
    assert DRILLED[RuntimeName.DOCKER] == list(EVERY)
    assert set(EVERY) - set(DRILLED[RuntimeName.LOCAL]) == {
        "backend-cpu",
        "backend-lossy",
        "backend-partitioned",
        "gateway-partitioned",
        "spool-disk-full",
        "spool-read-only",
        "workflow-memory",
        "workflow-processes",
    }
