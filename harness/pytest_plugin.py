"""The pytest plugin: a ``drill`` fixture that runs scenarios on one stack for the whole test session.

def test_backend_outage_loses_nothing(drill):
    drill("backend-down").expect_pass()
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from pytest_bdd.parser import Feature, Step

    from harness.drill.runner import DrillRunner

_FAILED_STEP = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for drills in tests."""
    group = parser.getgroup("drill", "failure drills")
    group.addoption(
        "--drill-stack", type=Path, help="the compose file that describes the stack (docker-compose.test.yml)"
    )
    group.addoption("--drill-reports", type=Path, help="where reports go (reports/ beside the compose file)")
    group.addoption("--drill-seed", type=int, help="seed of everything random; by default one is drawn and printed")
    group.addoption(
        "--drill-runtime", choices=("local", "docker"), default="local", help="how the stack runs (local processes)"
    )
    group.addoption("--drill-saboteur", help="plant this defect in the system")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, under which tests that start a stack may be selected."""
    config.addinivalue_line("markers", "drill: starts a whole stack")


@pytest.fixture(scope="session")
def drill_runner(request: pytest.FixtureRequest) -> Iterator[DrillRunner]:
    """The stack, started at its first use and kept to the end of the session."""
    # Imported here: pytest users who never drill pay nothing.
    from harness.drill.runner import DrillRunner  # noqa: PLC0415
    from harness.runtime.running import RuntimeName  # noqa: PLC0415

    option = request.config.getoption
    stack = option("--drill-stack") or request.config.rootpath / "docker-compose.test.yml"
    with DrillRunner.open(
        stack,
        reports=option("--drill-reports"),
        seed=option("--drill-seed"),
        saboteur=option("--drill-saboteur"),
        runtime=RuntimeName(option("--drill-runtime")),
        # What the runtime cannot do is no failure of the test.
        on_skipped=pytest.skip,
    ) as runner:
        yield runner


@pytest.fixture
def drill(drill_runner: DrillRunner) -> DrillRunner:
    """Call it with a scenario's name (or a ``Scenario``): it runs the drill and gives its result."""
    return drill_runner


@pytest.hookimpl(optionalhook=True)
def pytest_bdd_step_error(request: pytest.FixtureRequest, feature: Feature, step: Step) -> None:
    """Note which step of a feature failed."""
    request.node.stash[_FAILED_STEP] = f"{feature.rel_filename}:{step.line_number}: {step.keyword} {step.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed drill as its findings and where to look, without the code that raised them."""
    report = yield
    if call.excinfo is not None and report.failed:
        error = call.excinfo.value
        step = item.stash.get(_FAILED_STEP, None)
        results = sys.modules.get("harness.report.result")
        if results is not None and isinstance(error, results.DrillFailed):
            report.longrepr = f"{step or _line_of(item, call.excinfo)}\n{error}"
        elif isinstance(error, HarnessError) and (step is not None or _drills(item)):
            # The author of a feature need not read Python; and what keeps a drill from its work is told in a line.
            report.longrepr = "\n".join(filter(None, [step, str(error), error.evidence]))
    return report


def _drills(item: pytest.Item) -> bool:
    return "drill_runner" in getattr(item, "fixturenames", ())


def _line_of(item: pytest.Item, error: pytest.ExceptionInfo[BaseException]) -> str:
    line = next((entry.lineno + 1 for entry in reversed(error.traceback) if entry.path == item.path), None)
    return item.nodeid if line is None else f"{item.location[0]}:{line}"
