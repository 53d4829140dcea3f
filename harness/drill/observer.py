"""Watching a run of the workflow and the broker's ledger, so that triggers fire and the history knows the states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.clients.airflow import ENDED, Airflow
from harness.clients.gateway import GatewayControl
from harness.errors import HarnessError
from harness.history.events import RunChanged, RunRole, TaskChanged
from harness.history.history import HistoryWriter

POLL_S = 0.05
# Without a trigger that waits for a task, only the history's times depend on the pace; and an answer costs the
# api-server 40 ms, which the tasks of the run have to wait for.
UNHURRIED_POLL_S = 0.2
# Airflow's own API may be slow for a moment under load; a watcher that gave up at once would end sound drills.
_PATIENCE_S = 30.0


@dataclass(slots=True)
class RunWatch:
    """What is known of one run.

    Args:
        run_id: the run.
        role: why it was started.
        state: its last known state.
        tasks: the last known state of each task, with its attempt.
        reached: every state that each task was ever seen in.
        orders: how many orders the broker has received since the run began.
    """

    run_id: str
    role: RunRole
    state: str = "unknown"
    tasks: dict[str, tuple[str, int]] = field(default_factory=dict)
    reached: set[tuple[str, str]] = field(default_factory=set)
    orders: int = 0

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.state in ENDED


class Observer:
    """Polls Airflow and the ledger, notes every change, and wakes whoever waits for one."""

    def __init__(self, airflow: Airflow, gateway: GatewayControl, history: HistoryWriter) -> None:
        self._airflow = airflow
        self._gateway = gateway
        self._history = history
        self._changed = asyncio.Condition()
        self._watched_closely = 0

    async def wait_for(self, condition: Callable[[], bool], *, of_tasks: bool) -> None:
        """Wait until a condition about what was observed holds; the caller sets the deadline.

        Args:
            condition: about a ``RunWatch``.
            of_tasks: whether it is about the states of tasks, which are watched more closely then.
        """
        self._watched_closely += of_tasks
        try:
            async with self._changed:
                await self._changed.wait_for(condition)
        finally:
            self._watched_closely -= of_tasks

    async def watch_run(self, watch: RunWatch) -> None:
        """Follow a run to its end.

        Raises:
            HarnessError: Airflow's API gave no usable answer for 30 s.
        """
        clock = asyncio.get_running_loop().time
        heard_at_s = clock()
        while not watch.ended:
            try:
                changed = await self._look(watch)
                heard_at_s = clock()
            except HarnessError:
                if clock() - heard_at_s > _PATIENCE_S:
                    raise
                changed = False
            if changed:
                await self._wake()
            await asyncio.sleep(POLL_S if self._watched_closely else UNHURRIED_POLL_S)

    async def watch_orders(self, watch: RunWatch) -> None:
        """Count the orders that the broker receives, until cancelled."""
        position = (await self._gateway.ledger(0)).next
        while True:
            ledger = await self._gateway.ledger(position)
            position = ledger.next
            received = sum(entry.kind == "order_received" for entry in ledger.entries)
            if received:
                watch.orders += received
                await self._wake()
            await asyncio.sleep(POLL_S)

    async def _look(self, watch: RunWatch) -> bool:
        tasks = await self._airflow.tasks(watch.run_id)
        changed = False
        for task in tasks:
            now = (task.state or "none", task.try_number)
            if watch.tasks.get(task.task_id) != now:
                watch.tasks[task.task_id] = now
                watch.reached.add((task.task_id, now[0]))
                self._history.add(TaskChanged(run=watch.run_id, task=task.task_id, state=now[0], attempt=now[1]))
                changed = True
        unfinished = any(task.state in (None, "scheduled", "queued", "running") for task in tasks)
        if watch.state == "unknown" or not unfinished:
            state = await self._airflow.run_state(watch.run_id)
            if state != watch.state:
                watch.state = state
                self._history.add(RunChanged(run=watch.run_id, role=watch.role, state=state))
                changed = True
        return changed

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
