"""Each signal, one by one, on a load: the right exit code, one line, and nothing left running."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.daemon import conftest as desk
from tests.drill.small_stack import PROJECT, SmallStack, finish, wait_until

DESK_AIRFLOW = PROJECT / "tests" / "daemon" / "desk_airflow.py"


@pytest.fixture
def desk_stack(small_stack: SmallStack) -> SmallStack:
    """A stack that can be loaded: a database, and a stand-in for Airflow whose runs take a second and a half."""
    small_stack.write(compose=desk.COMPOSE)
    shutil.copy(DESK_AIRFLOW, small_stack.home)
    (small_stack.home / "sql").mkdir()
    (small_stack.home / "sql" / "01.sql").write_text(desk.SQL)
    return small_stack


def records(stack: SmallStack) -> list[str]:
    """A line for each run that was made."""
    return [line for path in stack.reports.glob("*/runs.jsonl") for line in path.read_text().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_load_that_a_signal_ends_leaves_nothing(desk_stack: SmallStack, number: signal.Signals) -> None:
    """Locust and the stack are gone when the command has ended."""
    harness = desk_stack.start("load", "--runs", "50")
    wait_until(lambda: bool(records(desk_stack)), "the first run to be over", harness)
    harness.send_signal(number)
    code, said = finish(harness)
    assert code == 130, said
    assert f"interrupted by {number.name}; everything that was started is gone" in said
    assert "Traceback" not in said
    assert desk_stack.left() == []


def test_killed_load_leaves_nothing(desk_stack: SmallStack) -> None:
    """The reaper ends Locust as well."""
    harness = desk_stack.start("load", "--runs", "50")
    wait_until(lambda: bool(records(desk_stack)), "the first run to be over", harness)
    harness.kill()
    harness.wait(10)
    desk_stack.wait_until_gone()


def test_load_that_was_stopped_goes_on(desk_stack: SmallStack) -> None:
    """Locust makes its runs meanwhile, and all of them are read when the command goes on."""
    harness = desk_stack.start("load", "--runs", "3")
    wait_until(lambda: bool(records(desk_stack)), "the first run to be over", harness)
    harness.send_signal(signal.SIGSTOP)
    wait_until(lambda: len(records(desk_stack)) == 3, "Locust to make all its runs", harness)
    harness.send_signal(signal.SIGCONT)
    code, said = finish(harness)
    assert code == 0, said
    assert "3 of 3" in said or "met" in said
