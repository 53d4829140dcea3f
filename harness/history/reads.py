"""Final reads: what independent witnesses say when everything is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from harness.history.roles import RunRole


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """One stored artifact, as SQL finds it.

    Args:
        contents: the digest of each further column's canonical form, by the column's name, without what may vary;
            an empty digest of a column that holds nothing.
        substitute: whether it stands in place of what could not be had.
        secrets: the names of the stack's secrets that stand in it.
    """

    execution_id: str | None
    task_id: str | None
    type: str
    symbol: str | None
    name: str
    contents: tuple[tuple[str, str], ...] = ()
    substitute: bool = False
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalRow:
    """What a run decided about a symbol, as the system stored it.

    Args:
        actionable: whether an order may follow from it; False for one that a fallback gave.
        quantity: the size that was decided with it; None where the system keeps it elsewhere.
        data_as_of: the day of the newest data that it rests on.
    """

    execution_id: str
    symbol: str
    action: str
    actionable: bool
    quantity: Decimal | None = None
    data_as_of: date | None = None


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
    """One order, as the gateway's own ledger has it; the times are when it was received, and when it was done."""

    order_ref: str
    perm_id: int
    symbol: str
    action: str
    quantity: Decimal
    status: str
    filled: Decimal
    avg_price: Decimal | None
    received_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskRead:
    """One task of a run, as Airflow's API has it."""

    task_id: str
    state: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunRead:
    """One run, as the program that runs it has it: Airflow's API, or the harness where it is a workload.

    Args:
        started_at: by that program's own clock; so is ``ended_at``. None where it keeps none.
    """

    run_id: str
    role: RunRole
    state: str
    symbols: tuple[str, ...]
    tasks: tuple[TaskRead, ...]
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A run of the workflow that the harness did not start.

    Args:
        kind: why it came, in Airflow's words (``scheduled``, ``manual``, ``backfill``).
        tick: the time of the schedule that it is for; None for one without.
        created_at: when the scheduler made it.
    """

    run_id: str
    kind: str
    state: str
    tick: datetime | None
    created_at: datetime | None


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
class Contradiction:
    """A row that breaks a rule of the stack's file about rows that must agree.

    Args:
        execution_id: the run that it is of; None where the rule's query does not say.
        row: all of it, to be shown.
    """

    execution_id: str | None
    row: str


@dataclass(frozen=True, slots=True)
class OutboxRead:
    """What the system still holds back of what it has accepted, after its recovery.

    Args:
        waiting: the names of what is still to be delivered.
        dead: the names of what will never be.
        stranded: where more lies that nothing will ever deliver, such as the outbox of a host that is gone.
    """

    waiting: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    stranded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret of the stack that stands where others read it; the secret itself is not in here.

    Args:
        secret: its name, or what kind it is.
        where: the log, the file or the stored row.
        line: the first line with it, from 1; None where there are no lines.
    """

    secret: str
    where: str
    line: int | None


@dataclass(frozen=True, slots=True)
class FinalReads:
    """Everything that was read at the end of a drill.

    Args:
        runs: every run that the harness started, by its id.
        operations: the ids of what the workload's requests have left, as often as each is found; None when they
            were not read.
        operations_before: those that were there before the drill began.
        probes: by the probe's name.
        signals: what the runs decided.
        other_runs: those that the harness did not start; None when nothing could tell of them.
        ticks: when the schedule had a run come while the drill went on.
        outbox: None when nothing says how to read it.
        contradictions: for each rule of the stack's file about rows that must agree, those that break it.
        leaks: secrets that stand in logs or in the evidence; None when they were not searched.
        unread: the witnesses that could not be read, by name, and why. What they would have told is empty here, and
            says nothing.
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
    signals: tuple[SignalRow, ...] = ()
    other_runs: tuple[OtherRun, ...] | None = None
    ticks: tuple[datetime, ...] = ()
    outbox: OutboxRead | None = None
    contradictions: Mapping[str, tuple[Contradiction, ...]] = field(default_factory=dict)
    leaks: tuple[Leak, ...] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
