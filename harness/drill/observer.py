"""What is known of runs, noted in the history as it changes, and told to what waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.clients.airflow import ENDED, TaskInstance
from harness.clients.gateway import GatewayControl
from harness.errors import HarnessError
from harness.history.events import RunChanged, TaskChanged
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole

POLL_S = 0.05
# Without a trigger that waits for a task, only the history's times depend on the pace; and an answer costs the
# api-server 40 ms, which the tasks of the run have to wait for.
UNHURRIED_POLL_S = 0.5
_PATIENCE_S = 30.0
# What a task must have been before, though it was so for less time than one look at it takes.
_PASSED_THROUGH: Mapping[str, tuple[str, ...]] = {
    "queued": ("scheduled",),
    "running": ("scheduled", "queued"),
    "failed": ("scheduled", "queued"),
    "up_for_retry": ("scheduled", "queued"),
    "success": ("scheduled", "queued", "running"),
}


@dataclass(slots=True)
class RunWatch:
    """What is known of one run.

    Args:
        run_id: the run.
        role: why it was started.
        state: its last known state.
        tasks: the last known state of each task, with its attempt.
        reached: every state that each task is known to have been in.
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
    """Notes every change of a run, and wakes what waits for one.

    Args:
        history: where changes go.
        gateway: whose ledger tells of orders; None when the stack has none.
    """

    def __init__(self, history: HistoryWriter, gateway: GatewayControl | None) -> None:
        self.history = history
        self._gateway = gateway
        self._changed = asyncio.Condition()
        self._watched_closely = 0

    @property
    def poll_s(self) -> float:
        """How often the states of tasks should be asked for now, in seconds."""
        return POLL_S if self._watched_closely else UNHURRIED_POLL_S

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

    async def note_state(self, watch: RunWatch, state: str) -> None:
        """Note the state of a run, if it is another one."""
        if state != watch.state:
            watch.state = state
            self.history.add(RunChanged(run=watch.run_id, role=watch.role, state=state))
            await self._wake()

    async def note_tasks(self, watch: RunWatch, tasks: Sequence[TaskInstance]) -> None:
        """Note the states of a run's tasks, as far as they have changed."""
        changed = False
        for task in tasks:
            now = (task.state or "none", task.try_number)
            if watch.tasks.get(task.task_id) != now:
                watch.tasks[task.task_id] = now
                watch.reached |= {(task.task_id, state) for state in (now[0], *_PASSED_THROUGH.get(now[0], ()))}
                self.history.add(TaskChanged(run=watch.run_id, task=task.task_id, state=now[0], attempt=now[1]))
                changed = True
        if changed:
            await self._wake()

    async def watch_orders(self, watch: RunWatch, up_to: int) -> None:
        """Count the orders that the broker receives.

        Args:
            watch: the run that sends them.
            up_to: after so many, no trigger waits for more; and the gateway may be the one that is hurt then.

        Raises:
            HarnessError: the stack has no gateway to be asked, or it gave no usable answer for 30 s.
        """
        if self._gateway is None:
            raise HarnessError("orders at the broker cannot be counted: the stack names no gateway")
        position = (await self._gateway.ledger(0)).next
        clock = asyncio.get_running_loop().time
        heard_at_s = clock()
        while watch.orders < up_to:
            try:
                ledger = await self._gateway.ledger(position)
            except HarnessError:
                # A fault may be on the gateway itself.
                if clock() - heard_at_s > _PATIENCE_S:
                    raise
                await asyncio.sleep(POLL_S)
                continue
            heard_at_s = clock()
            position = ledger.next
            received = sum(entry.kind == "order_received" for entry in ledger.entries)
            if received:
                watch.orders += received
                await self._wake()
            await asyncio.sleep(POLL_S)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
