"""Which worker is given which test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bootstrap.scheduling import EXPECTED_S, SPREAD, TOGETHER, StackScheduling, kept_stack_of, unit_of

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

ROOT = Path(__file__).parents[2]
BOTH = "tests/drill/test_both_runtimes.py::test_scenario_passes"
Schedule = Callable[[Sequence[str], int], list[list[str]]]
LONGEST = max(EXPECTED_S, key=lambda unit: EXPECTED_S[unit])


class Worker:
    """A worker that notes what it is given."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="worker")
        self.given: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        """Take tests."""
        self.given += indices

    def shutdown(self) -> None:
        """Hear that there are no more."""
        self.shutting_down = True


@pytest.fixture
def schedule(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Schedule:
    """Give tests to so many workers, which take equally long for each; what each of them ran, in its order."""

    def give(tests: Sequence[str], workers: int) -> list[list[str]]:
        monkeypatch.setattr(pytestconfig.option, "tx", [f"{workers}*popen"])
        return scheduled(StackScheduling(pytestconfig), tests, [Worker() for _ in range(workers)])

    return give


def scheduled(scheduling: StackScheduling, tests: Sequence[str], nodes: Sequence[Worker]) -> list[list[str]]:
    """Let the workers run all tests."""
    for node in nodes:
        scheduling.add_node(as_controller(node))
        scheduling.add_node_collection(as_controller(node), tests)
    scheduling.schedule()
    done = [0] * len(nodes)
    while scheduling.has_pending:
        for number, node in enumerate(nodes):
            # A worker begins with a test once it knows of the next one, or that there is none.
            if len(node.given) > done[number] + (not node.shutting_down):
                done[number] += 1
                scheduling.mark_test_complete(as_controller(node), node.given[done[number] - 1])
    return [[tests[index] for index in node.given] for node in nodes]


def as_controller(worker: Worker) -> WorkerController:
    """What the scheduler takes it for."""
    return worker


def test_files_that_the_order_names_exist() -> None:
    """A file that was renamed would lose its place, unnoticed."""
    named = {unit.split("::")[0] for unit in (*SPREAD, *TOGETHER, *EXPECTED_S)}
    assert [file for file in named if not (ROOT / file).exists()] == []


def test_file_stays_with_one_worker() -> None:
    """Its fixtures are made once."""
    assert unit_of("tests/x/test_y.py::test_z[a::b]") == "tests/x/test_y.py"
    assert unit_of(f"{SPREAD[0]}::test_z") == f"{SPREAD[0]}::test_z"
    assert {unit_of(f"{TOGETHER[0]}test_{name}.py::test_z") for name in "ab"} == {TOGETHER[0]}


@pytest.mark.parametrize(
    ("nodeid", "stack"),
    [
        (f"{BOTH}[local-healthy]", "local"),
        (f"{BOTH}[docker-healthy]", "docker"),
        ("features/test_healthy_day.py::test_nothing_goes_wrong", "local"),
        ("tests/drill/test_both_runtimes.py::test_every_scenario_is_drilled", None),
    ],
)
def test_drill_on_a_kept_stack_is_known(nodeid: str, stack: str | None) -> None:
    """By its name, which is all that the process knows that hands out tests."""
    assert kept_stack_of(nodeid) == stack


def test_every_test_runs_once(schedule: Schedule) -> None:
    """However many workers there are."""
    tests = [f"tests/a/test_{n % 7}.py::test_{n}" for n in range(40)] + [f"{BOTH}[local-{n}]" for n in range(9)]
    for workers in (1, 2, 5):
        ran = schedule(tests, workers)
        assert sorted(test for each in ran for test in each) == sorted(tests)


def test_longest_begins_first_and_kept_stacks_come_last(schedule: Schedule) -> None:
    """In any order in which they were found."""
    tests = [f"{BOTH}[docker-1]", "tests/a/test_b.py::test_c", f"{LONGEST}::test_long"]
    (ran,) = schedule(tests, 1)
    assert ran == [tests[2], tests[1], tests[0]]


def test_worker_keeps_to_its_stack(schedule: Schedule) -> None:
    """It changes only once there is nothing left to do on it, and so boots at most one stack of each kind."""
    tests = [f"{BOTH}[{stack}-{n}]" for n in range(8) for stack in ("local", "docker")]
    for ran in schedule(tests, 4):
        stacks = [kept_stack_of(test) for test in ran]
        assert sum(before != after for before, after in itertools.pairwise(stacks)) <= 1


def test_stacks_are_shared_out_among_workers(schedule: Schedule) -> None:
    """Two runtimes and four workers: two for each."""
    tests = [f"{BOTH}[{stack}-{n}]" for n in range(8) for stack in ("local", "docker")]
    first = [kept_stack_of(ran[0]) for ran in schedule(tests, 4)]
    assert (first.count("local"), first.count("docker")) == (2, 2)


def test_no_stack_is_booted_for_the_last_drill(schedule: Schedule) -> None:
    """A worker that has nothing more to do on its stack leaves what little there is to those that have the other."""
    tests = [f"{BOTH}[local-{n}]" for n in range(2)] + [f"{BOTH}[docker-{n}]" for n in range(5)]
    ran = schedule(tests, 2)
    assert sorted(test for each in ran for test in each) == sorted(tests)
    assert [len({kept_stack_of(test) for test in each}) for each in ran] == [1, 1]
