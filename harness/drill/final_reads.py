"""The final reads: what independent witnesses say when everything is over, each read by itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from harness.clients.database import SystemDatabase
from harness.clients.http_list import look_up, read_artifacts, read_list
from harness.drill.clients import Clients, own_address
from harness.drill.log_marks import LogMarks
from harness.drill.outbox import read_outbox
from harness.drill.reading import Reading
from harness.drill.ticks import ticks_between
from harness.drill.workloads.workload import Workload
from harness.errors import StackError
from harness.history.events import Fate, OperationEnded
from harness.history.history import History
from harness.history.reads import (
    ArtifactRow,
    BrokerOrder,
    Contradiction,
    FinalReads,
    OutcomeRow,
    ProbeRead,
    RecordedOrder,
)
from harness.runtime.running import RunningStack
from harness.stack.adapters import Adapters
from harness.stack.probes import LogPromise, Probe, SqlPromise
from harness.stack.secrets import telling

_SHOWN = 300
_POLL_S = 0.1
# The ledger is read before and after the record; when nothing has come between, both are of one moment.
_LOOKS = 5


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
    """Ask the workload, the gateway's ledger, SQL, the notification sink, the outbox, and the stack's own probes."""
    adapters, reading = running.stack.adapters, Reading()
    of_runs = await reading.of("airflow", workload.read_all(), workload.observed())
    recorded, at_broker = await _orders(clients, adapters, reading)
    appeared = _appeared(clients, running, operations.acknowledged)
    return FinalReads(
        runs=of_runs,
        artifacts=await reading.of("artifacts", _artifacts(clients, running, tuple(of_runs)), ()),
        recorded_orders=recorded,
        broker_orders=at_broker,
        outcomes=await reading.of("outcome", read_outcomes(clients, running), ()),
        notifications=await reading.of("notifications", clients.sink.messages(), ()) if clients.sink else (),
        operations=await reading.of("operations", appeared, None),
        operations_before=operations.before,
        probes=await _probes(clients, running, marks, reading),
        signals=await reading.of("signals", _database(clients).signals(adapters.signals.sql), ())
        if adapters.signals
        else (),
        other_runs=await reading.of("airflow", workload.other_runs(), None),
        ticks=ticks_between(adapters.schedule, *marks.span) if adapters.schedule else (),
        outbox=await reading.of("outbox", read_outbox(clients, running), None),
        contradictions=await reading.of("consistent", _contradictions(clients, adapters), {}),
        unread=reading.unread,
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


async def _orders(
    clients: Clients, adapters: Adapters, reading: Reading
) -> tuple[tuple[RecordedOrder, ...], tuple[BrokerOrder, ...]]:
    """The record of orders, and the ledger of the same moment."""
    recorded: tuple[RecordedOrder, ...] = ()
    ledger = await reading.of("gateway", clients.gateway.orders(), ()) if clients.gateway else ()
    for _ in range(_LOOKS):
        if adapters.orders is not None:
            recorded = await reading.of("orders", _database(clients).orders(adapters.orders.sql), ())
        if clients.gateway is None or "gateway" in reading.unread:
            break
        before, ledger = ledger, await reading.of("gateway", clients.gateway.orders(), ledger)
        if ledger == before:
            break
    return recorded, ledger


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
        url = own_address(running, adapter.http.url)
        return await read_artifacts(adapter.http, url, runs, varies=adapter.varies, secrets=telling(running.stack))
    return await _database(clients).artifacts(
        adapter.sql or "", adapter.varies, adapter.substitute, telling(running.stack)
    )


async def _contradictions(clients: Clients, adapters: Adapters) -> dict[str, tuple[Contradiction, ...]]:
    return {name: await _breaking(clients, query) for name, query in (adapters.consistent or {}).items()}


async def _breaking(clients: Clients, query: str) -> tuple[Contradiction, ...]:
    rows = await _database(clients).rows(query)
    runs = [row.get("execution_id") for row in rows]
    return tuple(
        Contradiction(None if run is None else str(run), _shown(row)) for run, row in zip(runs, rows, strict=True)
    )


async def _probes(clients: Clients, running: RunningStack, marks: LogMarks, reading: Reading) -> dict[str, ProbeRead]:
    found: dict[str, ProbeRead] = {}
    for name, probe in running.stack.adapters.probes.items():
        read = await reading.of(f"probes.{name}", _probe(clients, marks, probe), None)
        if read is not None:
            found[name] = read
    return found


async def _probe(clients: Clients, marks: LogMarks, probe: Probe) -> ProbeRead | None:
    match probe:
        case SqlPromise():
            return await _rows_of(clients, probe.sql)
        case LogPromise():
            return marks.read(probe)


async def _rows_of(clients: Clients, query: str) -> ProbeRead:
    rows = await _database(clients).rows(query)
    first = next(iter(rows[0].values()), None) if rows else None
    value = None if first is None else str(first)
    return ProbeRead(count=len(rows), value=value, sample=_shown(rows[0]) if rows else "")


def _shown(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())[:_SHOWN]


def _database(clients: Clients) -> SystemDatabase:
    if clients.database is None:
        raise StackError("the stack names no database to be asked")
    return clients.database
