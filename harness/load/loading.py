"""Loading a running stack: reset, load, report, and keep the logs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from statistics import median

from harness.clients.airflow import TaskInstance
from harness.drill.clients import Clients, open_clients
from harness.drill.evidence import keep_logs
from harness.drill.progress import Progress
from harness.drill.reset import reset
from harness.drill.workloads.airflow import airflow_is_whole
from harness.drill.workloads.workload import TaskLogs
from harness.errors import HarnessError, ReportNotWritten, UsageError
from harness.load.job import LoadJob, RunRecord
from harness.load.locust_process import run_locust
from harness.load.plan import LoadPlan
from harness.load.report import write_load_report
from harness.load.result import LoadResult
from harness.report.redaction import Redaction
from harness.runtime.running import RunningStack
from harness.stack.adapters import AirflowAdapter, DatabaseAdapter, OutcomeAdapter
from harness.stack.stack import Stack

RECORDS = "runs.jsonl"


async def load_stack_with_runs(
    running: RunningStack, plan: LoadPlan, *, directory: Path, progress: Progress
) -> LoadResult:
    """Have Locust start runs one after the other, and write a report of how they went.

    Args:
        running: the stack.
        plan: how many runs, and how many must succeed.
        directory: where the report goes; exists already.
        progress: is told of each run.

    Raises:
        HarnessError: the load could not be brought; that says nothing of the system.
    """
    airflow, database, outcome = require_loadable(running.stack)
    job = LoadJob(
        plan=plan,
        api=airflow.api,
        dag=airflow.dag,
        username=airflow.username,
        password=airflow.password,
        dsn=running.rewrite_addresses(database.dsn),
        outcome_sql=outcome.sql,
        records=directory / RECORDS,
    )
    url = running.rewrite_addresses(airflow.url)
    told = 0

    def tell(record: RunRecord) -> None:
        nonlocal told
        told += 1
        progress.line(f"run {told} of {plan.runs}   {record.took_s:5.1f} s   {record.cause or 'success'}")
        progress.at_work(f"run {told + 1} of {plan.runs} …")

    async with open_clients(running) as clients:
        await reset(running, clients)
        await airflow_is_whole(clients.require_airflow())
        progress.at_work(f"run 1 of {plan.runs} …")
        records = await run_locust(running, job, url=url, directory=directory, on_record=tell)
        good = [await _tasks(clients, record) for record in records if record.succeeded]
        result = LoadResult(plan, records, task_medians_s(good))
        logs = await _logs_of_failures(clients, records)
        try:
            write_load_report(directory, result)
            keep_logs(directory, running, logs, Redaction(running.stack.secrets.values()))
        except ReportNotWritten as cause:
            # What the load showed stands.
            result = dataclasses.replace(result, unwritten=str(cause))
    progress.done()
    return result


def require_loadable(stack: Stack) -> tuple[AirflowAdapter, DatabaseAdapter, OutcomeAdapter]:
    """What a load needs of a stack.

    Raises:
        UsageError: its file does not name all of it; the message says what is missing.
    """
    adapters = stack.adapters
    if adapters.airflow is None or adapters.database is None or adapters.outcome is None:
        missing = [name for name in ("airflow", "database", "outcome") if getattr(adapters, name) is None]
        raise UsageError(
            f"a load starts runs in Airflow and asks the system how they ended: {stack.path.name} does not name "
            + " and ".join(f"x-harness.adapters.{name}" for name in missing)
        )
    return adapters.airflow, adapters.database, adapters.outcome


def task_medians_s(runs: list[list[TaskInstance]]) -> dict[str, float]:
    """For each task, in the order in which they start, the median of how long it ran."""
    times: dict[str, list[float]] = {}
    for tasks in runs:
        for task in tasks:
            if task.start_date is not None and task.end_date is not None:
                times.setdefault(task.task_id, []).append((task.end_date - task.start_date).total_seconds())
    first = {task.task_id: task.start_date for tasks in runs[:1] for task in tasks if task.start_date is not None}
    ordered = sorted(times, key=lambda task: first[task].timestamp() if task in first else 0.0)
    return {task: median(times[task]) for task in ordered}


async def _logs_of_failures(clients: Clients, records: tuple[RunRecord, ...]) -> TaskLogs:
    logs: TaskLogs = {}
    for record in records:
        if not record.succeeded:
            for task in await _tasks(clients, record):
                logs[record.run_id, task.task_id] = await _log(clients, record, task)
    return logs


async def _tasks(clients: Clients, record: RunRecord) -> list[TaskInstance]:
    """The tasks of a run. What the load showed stands, also where Airflow cannot be asked any more."""
    try:
        return await clients.require_airflow().tasks(record.run_id)
    except HarnessError:
        return []


async def _log(clients: Clients, record: RunRecord, task: TaskInstance) -> str:
    airflow, attempts = clients.require_airflow(), range(1, task.try_number + 1)
    try:
        return "".join([await airflow.task_log(record.run_id, task.task_id, attempt) for attempt in attempts])
    except HarnessError as cause:
        return f"{cause}\n"
