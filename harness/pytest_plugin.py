"""The pytest plugin: a ``drill`` fixture that runs scenarios on one stack for the whole test session.

def test_backend_outage_loses_nothing(drill):
    drill("backend-down").expect_pass()
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.drill.bench import DrillBench


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for drills in tests."""
    group = parser.getgroup("drill", "failure drills")
    group.addoption(
        "--drill-stack", type=Path, help="the compose file that describes the stack (docker-compose.test.yml)"
    )
    group.addoption("--drill-reports", type=Path, help="where reports go (reports/ beside the compose file)")
    group.addoption("--drill-seed", type=int, help="seed of everything random; by default one is drawn and printed")
    group.addoption("--drill-saboteur", help="plant this defect in the system")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, under which tests that start a stack may be selected."""
    config.addinivalue_line("markers", "drill: starts a whole stack")


@pytest.fixture(scope="session")
def drill_bench(request: pytest.FixtureRequest) -> Iterator[DrillBench]:
    """The stack, started at its first use and kept to the end of the session."""
    from harness.drill.bench import open_bench  # noqa: PLC0415 - pytest users who never drill pay nothing

    option = request.config.getoption
    stack = option("--drill-stack") or request.config.rootpath / "docker-compose.test.yml"
    with open_bench(
        stack, reports=option("--drill-reports"), seed=option("--drill-seed"), saboteur=option("--drill-saboteur")
    ) as bench:
        yield bench


@pytest.fixture
def drill(drill_bench: DrillBench) -> DrillBench:
    """Call it with a scenario's name (or a ``Scenario``): it runs the drill and gives its outcome."""
    return drill_bench
