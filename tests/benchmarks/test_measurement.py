"""What the benchmark's table says: the right figures, and held or missed without rounding in its own favour."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.boot import only, slowest_by_itself
from benchmarks.measurement import Aim, Row
from benchmarks.measuring import Measured
from benchmarks.table import document
from benchmarks.workflow_run import _covered_s
from harness.clients.airflow import TaskInstance
from harness.stack.stack import load_stack

STACK = Path(__file__).parents[2] / "docker-compose.test.yml"


@pytest.mark.parametrize(
    ("aim", "held"),
    [
        (None, None),
        (Aim("median", 2.0), True),
        (Aim("median", 1.99), False),
        (Aim("max", 3.0), True),
        (Aim("p99", 2.99), False),
        (Aim("median", 2.0, at_least=True), True),
        (Aim("median", 2.01, at_least=True), False),
    ],
)
def test_aim_is_held_up_to_its_limit(aim: Aim | None, held: bool | None) -> None:  # noqa: FBT001 - a row of the table above
    """The limit itself is still good, and nothing beyond it is."""
    assert Row("something", (1.0, 2.0, 3.0), "s", aim).held is held


def test_p99_of_a_hundred_leaves_out_the_largest() -> None:
    """With fewer samples it is the largest."""
    assert Row("something", tuple(float(number) for number in range(1, 101)), "ms").figure("p99") == 99.0
    assert Row("something", (1.0, 2.0, 3.0), "ms").figure("p99") == 3.0


def test_document_keeps_every_sample() -> None:
    """A program can make its own figures."""
    row = document(Measured([Row("something", (1.0, 3.0), "s", Aim("max", 2.0))]), (0.1, 0.2)).rows[0]
    assert (row.samples, row.median, row.aim, row.held) == ([1.0, 3.0], 2.0, "max ≤ 2 s", False)


def test_slowest_part_is_one_that_answers_for_itself() -> None:
    """A part whose readiness another one tells cannot be started alone."""
    stack = load_stack(STACK, os.environ)
    assert slowest_by_itself(stack, {"airflow": 9.0, "airflow-dag-processor": 11.0, "backend": 2.0}) == "airflow"


def test_stack_of_one_part_has_what_it_needs() -> None:
    """Its database and the links between the two, and nothing more."""
    alone = only(load_stack(STACK, os.environ), "airflow")
    assert set(alone.services) == {"airflow", "airflow-migrate", "postgres"}
    assert [str(link) for link in alone.links] == ["airflow -> postgres:5432"]


def test_covered_time_counts_parallel_tasks_once() -> None:
    """Two tasks side by side take the time of the longer one, and a gap counts for nothing."""
    tasks = [
        TaskInstance.model_validate(
            {"task_id": name, "state": "success", "try_number": 1, "start_date": f"2026-11-23T12:00:{start:02d}Z"}
            | ({"end_date": f"2026-11-23T12:00:{end:02d}Z"} if end else {})
        )
        for name, start, end in [("a", 0, 2), ("b", 3, 6), ("c", 4, 5), ("d", 5, 8), ("e", 9, None)]
    ]
    assert _covered_s(tasks) == 7.0
