"""Final reads: what independent witnesses say when everything is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from harness.history.events import RunRole


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """One stored artifact, as SQL finds it."""

    execution_id: str | None
    task_id: str | None
    type: str
    symbol: str | None
    name: str


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """One order, as the system recorded it."""

    order_ref: str
    execution_id: str
    symbol: str
    action: str
    quantity: Decimal
    status: str
    perm_id: int | None
    filled: Decimal | None
    avg_price: Decimal | None


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One order, as the gateway's own ledger has it."""

    order_ref: str
    perm_id: int
    symbol: str
    action: str
    quantity: Decimal
    status: str
    filled: Decimal
    avg_price: Decimal | None


@dataclass(frozen=True, slots=True)
class TaskRead:
    """One task of a run, as Airflow's API has it."""

    task_id: str
    state: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunRead:
    """One run, as the program that runs it has it: Airflow's API, or the harness where it is a workload."""

    run_id: str
    role: RunRole
    state: str
    symbols: tuple[str, ...]
    tasks: tuple[TaskRead, ...]


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What the system says of a run's outcome in its own record."""

    execution_id: str
    outcome: str
    reasons: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One message that reached the notification sink."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class ProbeRead:
    """What a probe of the stack's file found.

    Args:
        count: how many rows or lines.
        value: the first column of the first row, as text; None when there is no row, and for a log.
        sample: the first of them, to be shown.
    """

    count: int
    value: str | None = None
    sample: str = ""


@dataclass(frozen=True, slots=True)
class FinalReads:
    """Everything that was read at the end of a drill.

    Args:
        runs: every run that the harness started, by its id.
        operations: the ids of what the workload's requests have left, as often as each is found; None when they
            were not read.
        operations_before: those that were there before the drill began.
        probes: by the probe's name.
    """

    runs: Mapping[str, RunRead]
    artifacts: tuple[ArtifactRow, ...]
    recorded_orders: tuple[RecordedOrder, ...]
    broker_orders: tuple[BrokerOrder, ...]
    outcomes: tuple[OutcomeRow, ...]
    notifications: tuple[Notification, ...]
    operations: tuple[str, ...] | None = None
    operations_before: tuple[str, ...] = ()
    probes: Mapping[str, ProbeRead] = field(default_factory=dict)
