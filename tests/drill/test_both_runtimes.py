"""The suite of scenarios, on local processes or in containers: a scenario does not know which.

Each is a test of its own. Those of a runtime share a stack that stays up, as a user's tests do by the `drill` fixture.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
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
LATELY = "3 days"
TODAY = datetime.now(UTC).date().toordinal()
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


def pairs(*, thorough: bool, day: int = 0, changed: Collection[str] = ()) -> list[tuple[RuntimeName, str]]:
    """What is drilled where: half of all each day, by turns on the one runtime and the other; or all on each.

    A runtime shows in a fault, and `tests/faults` holds each fault to its contract on both.

    Args:
        thorough: whether every scenario is drilled on every runtime that can do it.
        day: which day it is; in two of them all are drilled, in four those that can be had on both are.
        changed: those that are drilled on any day.
    """
    if thorough:
        return [(runtime, name) for runtime, names in DRILLED.items() for name in names]
    drilled: list[tuple[RuntimeName, str]] = []
    for place, name in enumerate(EVERY):
        if (place + day) % 2 and name not in changed:
            continue
        is_local = name in DRILLED[RuntimeName.LOCAL] and (place // 2 + day // 2) % 2 == 0
        drilled.append((RuntimeName.LOCAL if is_local else RuntimeName.DOCKER, name))
    return drilled


def changed_lately() -> Collection[str]:
    """The scenarios whose files the last days' commits have touched; none where there is no repository."""
    if shutil.which("git") is None:
        return ()
    command = ["git", "log", f"--since={LATELY}", "--name-only", "--pretty=format:", "--", str(FOLDER)]
    found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)
    return {Path(line).stem for line in found.stdout.splitlines()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each drill a test of its own."""
    if "scenario" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        cases = [
            pytest.param(runtime, name, id=f"{runtime}-{name}", marks=MARKS[runtime])
            for runtime, name in pairs(thorough=thorough, day=TODAY, changed=changed_lately())
        ]
        metafunc.parametrize(("runtime", "scenario"), cases)


def test_scenario_passes(request: pytest.FixtureRequest, runtime: RuntimeName, scenario: str) -> None:
    """Its promises hold under its faults, after a steady run of its own."""
    drill: DrillRunner = request.getfixturevalue(FIXTURES[runtime])
    drill(scenario).expect_pass()


def test_every_scenario_is_drilled() -> None:
    """In two days each once, in four each on both runtimes where both can do it; thoroughly, each wherever it can be."""
    days = [pairs(thorough=False, day=day) for day in range(4)]
    assert sorted(name for day in days[:2] for _, name in day) == sorted(EVERY)
    assert {pair for day in days for pair in day} == {
        (runtime, name) for runtime in DRILLED for name in DRILLED[runtime]
    }
    assert len(pairs(thorough=True)) == sum(map(len, DRILLED.values()))


def test_scenario_that_changed_is_drilled_on_any_day() -> None:
    """In either half."""
    name = next(iter(EVERY))
    assert all(name in [each for _, each in pairs(thorough=False, day=day, changed=[name])] for day in range(2))


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
