"""The final reads: what independent witnesses say, and every log, when everything is over."""

from __future__ import annotations

from harness.drill.clients import Clients
from harness.drill.runs import Runs
from harness.history.reads import FinalReads, RunRead, TaskRead
from harness.stack.adapters import Adapters

TaskLogs = dict[tuple[str, str], str]
"""The text of each task's log, by run and task, all attempts one after the other."""


async def read_finally(clients: Clients, adapters: Adapters, runs: Runs) -> FinalReads:
    """Ask SQL, the gateway's ledger, Airflow's API and the notification sink."""
    return FinalReads(
        runs={read.run_id: read for read in [await _run(clients, runs, index) for index in range(len(runs.started))]},
        artifacts=await clients.database.artifacts(adapters.artifacts.sql),
        recorded_orders=await clients.database.orders(adapters.orders.sql),
        broker_orders=await clients.gateway.orders(),
        outcomes=await clients.database.outcomes(adapters.outcome.sql),
        notifications=await clients.sink.messages(),
    )


async def _run(clients: Clients, runs: Runs, index: int) -> RunRead:
    watch = runs.started[index]
    tasks = await clients.airflow.tasks(watch.run_id)
    return RunRead(
        run_id=watch.run_id,
        role=watch.role,
        state=await clients.airflow.run_state(watch.run_id),
        symbols=runs.symbols,
        tasks=tuple(TaskRead(task.task_id, task.state or "none", task.try_number) for task in tasks),
    )


async def read_task_logs(clients: Clients, runs: Runs) -> TaskLogs:
    """The log of every task that began, through Airflow's API."""
    logs: TaskLogs = {}
    for watch in runs.started:
        for task in await clients.airflow.tasks(watch.run_id):
            attempts = range(1, task.try_number + 1)
            texts = [await clients.airflow.task_log(watch.run_id, task.task_id, attempt) for attempt in attempts]
            logs[watch.run_id, task.task_id] = "".join(texts)
    return logs
