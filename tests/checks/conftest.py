"""A sound drill, as evidence; each test spoils one thing in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest

from harness.checks.case import Case
from harness.checks.finding import PlannedFault
from harness.history.events import (
    DrillStarted,
    Event,
    FaultHealed,
    FaultHit,
    FaultObserved,
    FaultOff,
    FaultOn,
    PhaseEnded,
    Recovered,
    RunChanged,
    TaskChanged,
    Witness,
)
from harness.history.history import Entry, History
from harness.history.measurements import LinkUsed, OrderRecorded, ResourcesMeasured
from harness.history.reads import (
    ArtifactRow,
    BrokerOrder,
    FinalReads,
    Notification,
    OutboxRead,
    OutcomeRow,
    RecordedOrder,
    RunRead,
    SignalRow,
    TaskRead,
)
from harness.history.roles import RunRole
from harness.stack.adapters import Adapters

LINK = "workflow -> backend:8000"
STEADY = "steady__1"
DRILLED = "drilled__1"
RECOVERY = "recovery__1"
BEGAN = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
"""When the drill began: a Friday."""
SENT_AT_S = {STEADY: 2.0, DRILLED: 8.0, RECOVERY: 24.0}
"""When each run's order reached the broker, in seconds of the drill; it was filled a tenth of a second later."""
TASKS = ("generate_daily_chart", "place_order")
ADAPTERS = Adapters.model_validate(
    {
        "airflow": {"url": "", "tasks_run_in": "", "username": "", "password": "", "dag": ""},
        "gateway": {"control": ""},
        "notifications": {"url": ""},
        "database": {"dsn": ""},
        "artifacts": {
            "sql": "SELECT",
            "per_symbol": {"generate_daily_chart": ["chart"], "place_order": ["order"]},
        },
        "orders": {
            "sql": "SELECT",
            "statuses": {"Filled": ["FILLED"]},
            "never_sent": ["INTENT"],
            "unknown": ["UNKNOWN"],
        },
        "signals": {"sql": "SELECT", "gates": ["generate_daily_chart"]},
        "outcome": {"sql": "SELECT"},
        "outbox": {"sql": "SELECT"},
        "consistent": {"fills-are-trades": "SELECT"},
        "traffic": [{"link": "workflow -> backend", "log": "target=backend"}],
    }
)


def history_of(*events: tuple[float, Event]) -> History:
    """A history from times and events."""
    return History(tuple(Entry(seq=seq, at_s=at_s, event=event) for seq, (at_s, event) in enumerate(events, start=1)))


def sound_events() -> list[tuple[float, Event]]:
    """A drill whose fault came, hit, and was healed, and whose system recovered."""
    return [
        (0.0, DrillStarted(scenario="backend-down", seed=1, session="s", wall=BEGAN.isoformat())),
        (1.0, RunChanged(run=STEADY, role=RunRole.STEADY, state="running")),
        (2.5, RunChanged(run=STEADY, role=RunRole.STEADY, state="success")),
        (2.6, link_used(STEADY, RunRole.STEADY)),
        (2.7, resources("steady")),
        (3.0, PhaseEnded(phase="steady", took_s=2.0)),
        (4.0, RunChanged(run=DRILLED, role=RunRole.DRILLED, state="running")),
        (
            5.0,
            FaultOn(
                fault="fault-1", target=LINK, what="refused", cause="generate_daily_chart is running", took_s=0.002
            ),
        ),
        (5.1, FaultObserved(fault="fault-1", target=LINK, saw="a probe was 'refused'", as_expected=True)),
        (7.9, OrderRecorded(order_ref=f"ref-{DRILLED}", status="INTENT", filled=Decimal(0))),
        (8.2, OrderRecorded(order_ref=f"ref-{DRILLED}", status="FILLED", filled=Decimal(10))),
        (7.0, TaskChanged(run=DRILLED, task="generate_daily_chart", state="success", attempt=1)),
        (20.0, FaultOff(fault="fault-1", target=LINK)),
        (20.1, FaultHealed(fault="fault-1", target=LINK, took_s=0.04, proxy_replaced=False)),
        (21.0, RunChanged(run=DRILLED, role=RunRole.DRILLED, state="success")),
        (21.1, link_used(DRILLED, RunRole.DRILLED)),
        (22.0, RunChanged(run=RECOVERY, role=RunRole.RECOVERY, state="running")),
        (24.8, RunChanged(run=RECOVERY, role=RunRole.RECOVERY, state="success")),
        (24.9, link_used(RECOVERY, RunRole.RECOVERY)),
        (25.0, Recovered(took_s=4.9)),
        (25.5, resources("recovered")),
        (26.0, FaultHit(fault="fault-1", witness=Witness.SYSTEM, count=12, detail="lines")),
    ]


def link_used(run: str, role: RunRole, connections: int = 9, open_connections: int = 1) -> LinkUsed:
    """What a run made of the link."""
    return LinkUsed(
        link=LINK, run=run, role=role, connections=connections, open_connections=open_connections, took_s=4.0
    )


def resources(when: Literal["steady", "recovered"], **more: int) -> ResourcesMeasured:
    """What the backend holds, and so much more."""
    held = {"threads": 5, "file_handles": 16, "connections": 2, "memory_bytes": 100_000_000}
    return ResourcesMeasured(
        service="backend", when=when, **{name: count + more.get(name, 0) for name, count in held.items()}
    )


def _run(run_id: str, role: RunRole) -> RunRead:
    return RunRead(run_id, role, "success", ("AAPL",), tuple(TaskRead(task, "success", 1) for task in TASKS))


def _artifacts(run_id: str) -> tuple[ArtifactRow, ...]:
    return (
        ArtifactRow(run_id, "generate_daily_chart", "chart", "AAPL", "AAPL daily chart", (("chart_data", "c1"),)),
        ArtifactRow(run_id, "place_order", "order", "AAPL", "AAPL order", (("metadata", "m1"), ("prompt", ""))),
    )


def signal(run_id: str) -> SignalRow:
    """What a run decided."""
    return SignalRow(run_id, "AAPL", "BUY", actionable=True, quantity=Decimal(10), data_as_of=BEGAN.date())


def recorded(run_id: str) -> RecordedOrder:
    """The record of the order of a run."""
    return RecordedOrder(
        f"ref-{run_id}", run_id, "AAPL", "BUY", Decimal(10), "FILLED", len(run_id), Decimal(10), Decimal("187.5")
    )


def at_broker(run_id: str) -> BrokerOrder:
    """The same order, in the ledger."""
    return BrokerOrder(
        f"ref-{run_id}",
        len(run_id),
        "AAPL",
        "BUY",
        Decimal("10.0"),
        "Filled",
        Decimal(10),
        Decimal("187.50"),
        received_at=BEGAN + timedelta(seconds=SENT_AT_S[run_id]),
        ended_at=BEGAN + timedelta(seconds=SENT_AT_S[run_id] + 0.1),
    )


@pytest.fixture
def sound() -> Case:
    """The evidence of a drill in which everything held."""
    runs = {
        DRILLED: _run(DRILLED, RunRole.DRILLED),
        STEADY: _run(STEADY, RunRole.STEADY),
        RECOVERY: _run(RECOVERY, RunRole.RECOVERY),
    }
    return Case(
        drilled_run=DRILLED,
        faults=(PlannedFault("fault-1", LINK, "refused"),),
        outcomes=("degraded",),
        run_limit_s=60,
        recovery_limit_s=30,
        adapters=ADAPTERS,
        history=history_of(*sound_events()),
        reads=FinalReads(
            runs=runs,
            artifacts=tuple(row for run in runs for row in _artifacts(run)),
            recorded_orders=tuple(recorded(run) for run in runs),
            broker_orders=tuple(at_broker(run) for run in runs),
            outcomes=(
                OutcomeRow(DRILLED, "degraded", '[{"task": "generate_daily_chart", "cause": "the backend was away"}]'),
                OutcomeRow(STEADY, "success", "[]"),
                OutcomeRow(RECOVERY, "success", "[]"),
            ),
            notifications=(
                Notification(
                    1, f'{{"title": "run {DRILLED} is degraded", "body": "generate_daily_chart: the backend was away"}}'
                ),
            ),
            signals=tuple(signal(run) for run in runs),
            other_runs=(),
            outbox=OutboxRead(),
            contradictions={"fills-are-trades": ()},
            leaks=(),
        ),
    )


Respoil = Callable[..., Case]


@pytest.fixture
def but(sound: Case) -> Respoil:
    """The sound drill with some of its final reads replaced."""

    def spoil(**reads: object) -> Case:
        return dataclasses.replace(sound, reads=dataclasses.replace(sound.reads, **reads))  # type: ignore[arg-type]

    return spoil


@pytest.fixture
def but_events(sound: Case) -> Respoil:
    """The sound drill with events of some kinds left out, and others added."""

    def spoil(*, without: tuple[type, ...] = (), plus: tuple[tuple[float, Event], ...] = ()) -> Case:
        kept = [(at_s, event) for at_s, event in sound_events() if not isinstance(event, without)]
        return dataclasses.replace(sound, history=history_of(*sorted([*kept, *plus], key=lambda pair: pair[0])))

    return spoil
