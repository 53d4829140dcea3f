"""Runs of a DAG, started through Airflow's API and followed there to their end."""

from __future__ import annotations

import asyncio

from harness.clients.airflow import Airflow
from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.workload import TaskLogs, Workload
from harness.errors import HarnessError, NotSteady
from harness.history.reads import OtherRun, RunRead, TaskRead
from harness.runtime.waiting import NotYet, until

# Airflow's own API may be slow for a moment under load; a watcher that gave up at once would end sound drills.
_PATIENCE_S = 30.0
_WHOLE_WITHIN_S = 30.0


class AirflowRuns(Workload):
    """The runs of one DAG.

    Args:
        airflow: where they run.
        observer: is told of every state.
        symbols: what each run trades.
    """

    def __init__(self, airflow: Airflow, observer: Observer, symbols: tuple[str, ...]) -> None:
        super().__init__(observer)
        self._airflow = airflow
        self.symbols = symbols

    async def require_whole(self) -> None:
        """Wait until every part of Airflow is healthy and the DAG is known."""
        await airflow_is_whole(self._airflow)

    async def start(self, watch: RunWatch) -> None:
        """Trigger a run."""
        await self._airflow.trigger(watch.run_id, {"symbols": list(self.symbols)})

    async def follow(self, watch: RunWatch) -> None:
        """Follow a run to its end.

        Raises:
            HarnessError: Airflow's API gave no usable answer for 30 s.
        """
        clock = asyncio.get_running_loop().time
        heard_at_s = clock()
        while not watch.ended:
            try:
                await self._observe(watch)
                heard_at_s = clock()
            except HarnessError:
                if clock() - heard_at_s > _PATIENCE_S:
                    raise
            await asyncio.sleep(self._observer.poll_s)

    async def give_up(self, watch: RunWatch) -> None:
        """Mark a run as failed, which ends its tasks."""
        await self._airflow.give_up(watch.run_id)

    async def read(self, watch: RunWatch) -> RunRead:
        """How a run and its tasks ended, by Airflow's word."""
        tasks = await self._airflow.tasks(watch.run_id)
        run = await self._airflow.run(watch.run_id)
        return RunRead(
            run_id=watch.run_id,
            role=watch.role,
            state=run.state,
            symbols=self.symbols,
            tasks=tuple(TaskRead(task.task_id, task.state or "none", task.try_number) for task in tasks),
            started_at=run.start_date,
            ended_at=run.end_date,
        )

    async def other_runs(self) -> tuple[OtherRun, ...]:
        """The runs of the DAG that the harness did not start."""
        ours = {watch.run_id for watch in self._named}
        return tuple(
            OtherRun(run.dag_run_id, run.run_type, run.state, run.logical_date, run.queued_at)
            for run in await self._airflow.runs()
            if run.dag_run_id not in ours
        )

    async def logs(self, watch: RunWatch) -> TaskLogs:
        """The log of every task that began, all its attempts."""
        logs: TaskLogs = {}
        for task in await self._airflow.tasks(watch.run_id):
            attempts = range(1, task.try_number + 1)
            texts = [await self._airflow.task_log(watch.run_id, task.task_id, attempt) for attempt in attempts]
            logs[watch.run_id, task.task_id] = "".join(texts)
        return logs

    async def _observe(self, watch: RunWatch) -> None:
        tasks = await self._airflow.tasks(watch.run_id)
        await self._observer.note_tasks(watch, tasks)
        unfinished = any(task.state in (None, "scheduled", "queued", "running") for task in tasks)
        if watch.state == "unknown" or not unfinished:
            await self._observer.note_state(watch, await self._airflow.run_state(watch.run_id))


async def airflow_is_whole(airflow: Airflow) -> None:
    """Wait until every part of Airflow is healthy and the DAG is known, without import errors.

    Raises:
        NotSteady: a DAG file cannot be imported.
        DeadlineExceeded: it did not become whole in time.
    """

    async def is_whole() -> bool:
        sick = (await airflow.health()).sick
        known = await airflow.dag_is_known()
        if not sick and known:
            return True
        if failures := await airflow.import_failures():
            trace = failures[0].stack_trace or ""
            last = trace.strip().splitlines()[-1] if trace.strip() else ""
            raise NotSteady(f"Airflow cannot import {failures[0].filename}: {last}", evidence=trace)
        raise NotYet("; ".join(sick) or f"the DAG {airflow.dag} is not known")

    await until(is_whole, what="Airflow to be whole", deadline_s=_WHOLE_WITHIN_S)
