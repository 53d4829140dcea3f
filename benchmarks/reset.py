"""How long it takes to bring a used stack back to the state in which it came up."""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from benchmarks.workflow_run import run_workflow
from harness.drill.clients import open_clients
from harness.drill.reset import reset

REPETITIONS = 5


async def measure_reset(bench: Bench) -> Sequence[Row]:
    """Reset after a run of the workflow, which leaves something in every place that a reset must clear."""
    running = await bench.running()
    took_s: list[float] = []
    async with open_clients(running) as clients:
        for turn in range(1, REPETITIONS + 1):
            bench.progress.at_work(f"reset {turn} of {REPETITIONS} …")
            await run_workflow(clients.require_airflow())
            began_s = time.monotonic()
            await reset(running, clients)
            took_s.append(time.monotonic() - began_s)
    return [Row("stack reset between drills", tuple(took_s), "s", Aim("max", 1.0))]
