"""The final reads: what independent witnesses say when everything is over."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from harness.clients.database import SystemDatabase
from harness.clients.http_list import look_up, read_artifacts, read_list
from harness.drill.clients import Clients, own_address
from harness.drill.log_marks import LogMarks
from harness.drill.workloads.workload import Workload
from harness.errors import StackError
from harness.history.events import Fate, OperationEnded
from harness.history.history import History
from harness.history.reads import ArtifactRow, FinalReads, OutcomeRow, ProbeRead
from harness.runtime.running import RunningStack
from harness.stack.probes import LogPromise, SqlPromise

_SHOWN = 300
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class OperationsSoFar:
    """What a drill knows of the workload's requests before it reads what they have left.

    Args:
        before: the ids that were there before it began.
        acknowledged: those that the system has acknowledged since.
    """

    before: tuple[str, ...]
    acknowledged: frozenset[str]


def operations_so_far(before: tuple[str, ...] | None, history: History) -> OperationsSoFar:
    """Put together what was there before, if it could be read, and what was acknowledged since."""
    ended = (event for _, event in history.of(OperationEnded))
    return OperationsSoFar(before or (), frozenset(each.operation for each in ended if each.fate is Fate.ACKNOWLEDGED))


async def read_finally(
    clients: Clients, running: RunningStack, workload: Workload, marks: LogMarks, operations: OperationsSoFar
) -> FinalReads:
    """Ask SQL, the gateway's ledger, the notification sink, the workload for its runs, and the stack's own probes."""
    adapters = running.stack.adapters
    of_runs = await workload.read_all()
    recorded = await _database(clients).orders(adapters.orders.sql) if adapters.orders else ()
    return FinalReads(
        runs=of_runs,
        artifacts=await _artifacts(clients, running, tuple(of_runs)),
        recorded_orders=recorded,
        broker_orders=await clients.gateway.orders() if clients.gateway else (),
        outcomes=await read_outcomes(clients, running),
        notifications=await clients.sink.messages() if clients.sink else (),
        operations=await _appeared(clients, running, operations.acknowledged),
        operations_before=operations.before,
        probes=await _probes(clients, running, marks),
    )


async def read_outcomes(clients: Clients, running: RunningStack) -> tuple[OutcomeRow, ...]:
    """What the system says of its runs; nothing where the compose file does not say how to ask."""
    adapter = running.stack.adapters.outcome
    return () if adapter is None else await _database(clients).outcomes(adapter.sql)


async def read_operations(clients: Clients, running: RunningStack) -> tuple[str, ...] | None:
    """The ids of what the workload's requests have left; None where the compose file does not say how to read them.

    Raises:
        StackError: the query of the compose file gives no such column.
    """
    adapter = running.stack.adapters.operations
    if adapter is None:
        return None
    if adapter.http is not None:
        rows = await read_list(adapter.http, own_address(running, adapter.http.url))
        return tuple(str(look_up(row, adapter.id)) for row in rows)
    found = await _database(clients).rows(adapter.sql or "")
    if found and adapter.id not in found[0]:
        raise StackError(f"the query for operations has no column {adapter.id!r}; it has: {', '.join(found[0])}")
    return tuple(str(row[adapter.id]) for row in found)


async def _appeared(clients: Clients, running: RunningStack, acknowledged: frozenset[str]) -> tuple[str, ...] | None:
    """The operations, once all that were acknowledged are there, or have had their time to appear."""
    adapter = running.stack.adapters.operations
    gives_up_at_s = time.monotonic() + (adapter.within_s if adapter else 0.0)
    while True:
        found = await read_operations(clients, running)
        if found is None or acknowledged <= set(found) or time.monotonic() >= gives_up_at_s:
            return found
        await asyncio.sleep(_POLL_S)


async def _artifacts(clients: Clients, running: RunningStack, runs: tuple[str, ...]) -> tuple[ArtifactRow, ...]:
    adapter = running.stack.adapters.artifacts
    if adapter is None:
        return ()
    if adapter.http is not None:
        return await read_artifacts(adapter.http, own_address(running, adapter.http.url), runs)
    return await _database(clients).artifacts(adapter.sql or "")


async def _probes(clients: Clients, running: RunningStack, marks: LogMarks) -> dict[str, ProbeRead]:
    found: dict[str, ProbeRead] = {}
    for name, probe in running.stack.adapters.probes.items():
        match probe:
            case SqlPromise():
                rows = await _database(clients).rows(probe.sql)
                first = next(iter(rows[0].values()), None) if rows else None
                value = None if first is None else str(first)
                found[name] = ProbeRead(count=len(rows), value=value, sample=str(rows[0])[:_SHOWN] if rows else "")
            case LogPromise():
                if (read := marks.read(probe)) is not None:
                    found[name] = read
    return found


def _database(clients: Clients) -> SystemDatabase:
    if clients.database is None:
        raise StackError("the stack names no database to be asked")
    return clients.database
