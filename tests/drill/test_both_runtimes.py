"""The whole suite of scenarios, on local processes or in containers: a scenario does not know which.

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


def pairs(*, thorough: bool) -> list[tuple[RuntimeName, str]]:
    """What is drilled where: by turns on the one runtime and the other, or on each that can do it.

    A runtime shows in a fault, and `tests/faults` holds each fault to its contract on both.
    """
    if thorough:
        return [(runtime, name) for runtime, names in DRILLED.items() for name in names]
    anywhere = [name for name in EVERY if name in DRILLED[RuntimeName.LOCAL]]
    locally = set(anywhere[::2])
    return [(RuntimeName.LOCAL if name in locally else RuntimeName.DOCKER, name) for name in EVERY]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each drill a test of its own."""
    if "scenario" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        cases = [
            pytest.param(runtime, name, id=f"{runtime}-{name}", marks=MARKS[runtime])
            for runtime, name in pairs(thorough=thorough)
        ]
        metafunc.parametrize(("runtime", "scenario"), cases)


def test_scenario_passes(request: pytest.FixtureRequest, runtime: RuntimeName, scenario: str) -> None:
    """Its promises hold under its faults, after a steady run of its own."""
    drill: DrillRunner = request.getfixturevalue(FIXTURES[runtime])
    drill(scenario).expect_pass()


def test_every_scenario_is_drilled() -> None:
    """Each once, on either runtime about as often as on the other; thoroughly, each wherever it can be."""
    drilled = pairs(thorough=False)
    assert [name for _, name in drilled] == list(EVERY)
    assert {runtime for runtime, _ in drilled} == set(RuntimeName)
    assert len(pairs(thorough=True)) == sum(map(len, DRILLED.values()))


def test_containers_can_drill_every_scenario() -> None:
    """And local processes all that need no container."""
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
