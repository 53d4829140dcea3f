"""The contract suites of the harness, as another team runs them over its own faults and checks."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from harness_extras.cut_short import CutShort
from harness_extras.doze import Doze
from harness_extras.named_by_run import CHECK

from harness import DrillRunner
from harness.testing import check_check, check_fault, sound_case

LINK, SERVICE = "client -> server", "server"


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[DrillRunner]:
    """The stack of the system beside the package."""
    stack = Path(pytestconfig.getoption("--drill-stack"))
    with DrillRunner.open(stack, reports=tmp_path_factory.mktemp("reports")) as opened:
        yield opened


def suffers(address: Callable[[], tuple[str, int]]) -> Callable[[], Awaitable[bool]]:
    """Whether a call of an address fails."""

    def ask() -> bool:
        host, port = address()
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/things", timeout=0.5) as answer:
                return not answer.read()
        except OSError:
            return True

    return lambda: asyncio.to_thread(ask)


def test_fault_of_a_link_keeps_the_contract(drill: DrillRunner) -> None:
    """Cut answers are proven on, hurt, and are lifted."""
    link = drill.running.stack.link(LINK)
    hurts = suffers(lambda: drill.running.link_address(link))
    drill.wait_for(check_fault(drill.running, CutShort(), LINK, hurts=hurts))


def test_fault_of_a_service_keeps_the_contract(drill: DrillRunner) -> None:
    """A service that dozes is proven to, hurts, and wakes up."""
    hurts = suffers(lambda: drill.running.address(SERVICE, 8000))
    drill.wait_for(check_fault(drill.running, Doze(), SERVICE, hurts=hurts))


def test_check_keeps_the_contract() -> None:
    """The promise holds where it should, and finds what it should."""
    holds = sound_case(runs=("drilled__1",), operations=("drilled__1-1", "drilled__1-2"))
    broken = sound_case(runs=("drilled__1",), operations=("drilled__1-1", "someone-elses"))
    check_check(CHECK, holds=holds, broken=broken)
