"""How long a run of the workflow takes through the scheduler, and how much of that is spent between its tasks."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from harness.clients.airflow import ENDED, Airflow, TaskInstance
from harness.drill.clients import open_clients
from harness.drill.reset import reset
from harness.drill.workloads.airflow import airflow_is_whole
from harness.errors import DeadlineExceeded, HarnessError

REPETITIONS = 10
_POLL_S = 0.05
_RUN_LIMIT_S = 120.0


async def measure_workflow_run(bench: Bench) -> Sequence[Row]:
    """Run it ten times, after one run that warms everything up."""
    running = await bench.running()
    took_s: list[float] = []
    in_tasks_s: list[float] = []
    task_s: dict[str, list[float]] = {}
    async with open_clients(running) as clients:
        await reset(running, clients)
        airflow = clients.require_airflow()
        await airflow_is_whole(airflow)
        await run_workflow(airflow)
        for turn in range(1, REPETITIONS + 1):
            bench.progress.at_work(f"run {turn} of {REPETITIONS} …")
            run_id, run_s = await run_workflow(airflow)
            tasks = await airflow.tasks(run_id)
            took_s.append(run_s)
            in_tasks_s.append(_covered_s(tasks))
            for task in tasks:
                task_s.setdefault(task.task_id, []).append(_covered_s([task]))
    bench.progress.line(", ".join(f"{task} {median(times):.2f} s" for task, times in task_s.items()))
    between_s = tuple(whole - inside for whole, inside in zip(took_s, in_tasks_s, strict=True))
    return [
        Row(f"workflow run, {len(task_s)} tasks", tuple(took_s), "s", Aim("median", 4.0)),
        Row("of that, while a task ran", tuple(in_tasks_s), "s"),
        Row("of that, between tasks", between_s, "s"),
    ]


async def run_workflow(airflow: Airflow) -> tuple[str, float]:
    """Run the workflow once.

    Returns:
        The run's id, and the seconds from the request until its end was seen.

    Raises:
        HarnessError: it did not succeed.
        DeadlineExceeded: it did not end in time.
    """
    run_id = f"bench__{secrets.token_hex(4)}"
    began_s = time.monotonic()
    await airflow.trigger(run_id, {"symbols": ["AAPL"]})
    while (state := await airflow.run_state(run_id)) not in ENDED:
        if time.monotonic() - began_s > _RUN_LIMIT_S:
            raise DeadlineExceeded(f"run {run_id} had not ended after {_RUN_LIMIT_S:g} s: it is {state}")
        await asyncio.sleep(_POLL_S)
    took_s = time.monotonic() - began_s
    if state != "success":
        raise HarnessError(f"run {run_id} should have succeeded, and is {state}: measure a system that works")
    return run_id, took_s


def _covered_s(tasks: Sequence[TaskInstance]) -> float:
    """The time during which at least one of the tasks ran."""
    spans = sorted((task.start_date, task.end_date) for task in tasks if task.start_date and task.end_date)
    covered_s = 0.0
    reached = None
    for start, end in spans:
        begin = start if reached is None else max(start, reached)
        if end > begin:
            covered_s += (end - begin).total_seconds()
            reached = end
    return covered_s
