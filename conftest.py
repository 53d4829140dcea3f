"""What every test of the project shares."""

from __future__ import annotations

import functools
import gc
import os
import warnings
from typing import TYPE_CHECKING

import docker
import pytest
from docker.errors import DockerException
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

# No time limit on an example: the machine may be shared, and a slow one is no broken promise.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# Set where an engine must be there (CI), so that its absence is a failure and not a skip.
_REQUIRED_VARIABLE = "HARNESS_REQUIRE_DOCKER"
# Set where what needs an engine is to be left out, although one may answer.
_WITHOUT_VARIABLE = "HARNESS_WITHOUT_DOCKER"
THOROUGH = "--thorough"
RECORD = "--record-clients"
# What a test starts is told by what it uses: these fixtures, of ours and of the harness's plugin, and these marks.
_STARTING_FIXTURES = frozenset({"starts_a_stack", "drill_runner"})
_STARTING_MARKS = ("docker", "drill")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which variants of some tests run: the long ones; those that write down what they find."""
    parser.addoption(THOROUGH, action="store_true", help="run the long variants of tests that have one")
    parser.addoption(
        RECORD, action="store_true", help="write the table of the gateway's clients and their sessions anew"
    )


@pytest.fixture(scope="session")
def starts_a_stack() -> None:
    """Asked for by fixtures that start Airflow, containers or a whole stack: a test that uses them is told by it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that start a stack, before tests are chosen by their marks: from it follows their lane.

    Raises:
        pytest.UsageError: a test must run alone, and does not say why.
    """
    for item in items:
        uses = _STARTING_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if uses or any(item.get_closest_marker(name) for name in _STARTING_MARKS):
            item.add_marker("stack")
        alone = item.get_closest_marker("alone")
        if alone is not None and not (len(alone.args) == 1 and isinstance(alone.args[0], str)):
            raise pytest.UsageError(f"{item.nodeid}: say why it must run alone: @pytest.mark.alone('it …')")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Hand tests to workers in an order of our own. A run without workers needs no xdist."""
    from bootstrap.scheduling import StackScheduling  # noqa: PLC0415

    return StackScheduling(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what needs a Docker engine where none answers."""
    if item.get_closest_marker("docker") is None or (reason := _why_no_engine()) is None:
        return
    if os.environ.get(_REQUIRED_VARIABLE):
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _why_no_engine() -> str | None:
    if os.environ.get(_WITHOUT_VARIABLE):
        return f"needs a Docker engine with the project's images, and {_WITHOUT_VARIABLE} says to do without"
    # The SDK leaves the socket of a failed connection to the garbage collector, which warns of it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _asked()
        gc.collect()
    return reason


def _asked() -> str | None:
    try:
        client = docker.from_env(timeout=10)
        try:
            client.ping()
        finally:
            client.close()
    except DockerException as error:
        return f"needs a Docker engine (`make engine images` sets one up on Debian): {error}"
    return None
