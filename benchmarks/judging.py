"""How long the judge takes over long histories and many rows, and how much memory: linear, or it is of no use there."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psutil

from benchmarks.bench import Bench
from benchmarks.measurement import Aim, Row
from harness.checks.case import Case
from harness.checks.finding import Verdict
from harness.checks.verdict import judge, verdict_of
from harness.errors import HarnessError
from harness.history.events import DrillStarted, Event, RunChanged, TaskChanged
from harness.history.history import Entry, History
from harness.history.measurements import OrderRecorded, ResourcesMeasured
from harness.history.reads import (
    ArtifactRow,
    BrokerOrder,
    FinalReads,
    OutcomeRow,
    RecordedOrder,
    RunRead,
    SignalRow,
    TaskRead,
)
from harness.history.roles import RunRole
from harness.stack.adapters import Adapters

SIZES = (10_000, 100_000, 1_000_000)
TURNS = 3
_BEGAN = datetime(2026, 1, 2, 15, 0, tzinfo=UTC)
_PROMISES = ("artifacts-once", "orders-once", "orders-follow-signals", "bounded", "steady")
_RUNS = (("steady", RunRole.STEADY), ("drilled", RunRole.DRILLED))
_MIB = 1024 * 1024


async def measure_judging(bench: Bench) -> Sequence[Row]:
    """Judge sound cases of each size, again and again."""
    took_s: dict[int, list[float]] = {size: [] for size in SIZES}
    grown_mib: dict[int, list[float]] = {size: [] for size in SIZES}
    for size in SIZES:
        case = await asyncio.to_thread(_case, size)
        for turn in range(1, TURNS + 1):
            bench.progress.at_work(f"judging {size:,} events and rows: {turn} of {TURNS} …")
            seconds, mib = await asyncio.to_thread(_judge, case)
            took_s[size].append(seconds)
            grown_mib[size].append(mib)
        del case
        gc.collect()
    smaller, larger = SIZES[-2:]
    ratios = tuple(large / small for small, large in zip(took_s[smaller], took_s[larger], strict=True))
    return [
        *(Row(f"{size:,} events and rows judged", tuple(took_s[size]), "s", _aim(size)) for size in SIZES),
        Row(f"{larger:,} against {smaller:,}", ratios, "×", Aim("median", 15)),
        *(Row(f"memory for {size:,}", tuple(grown_mib[size]), "MB") for size in SIZES),
    ]


def _aim(size: int) -> Aim | None:
    return Aim("max", 10) if size == SIZES[-1] else None


def _judge(case: Case) -> tuple[float, float]:
    # What it has worked out of a case before must not help it.
    history = History(case.history.entries)
    fresh = Case(
        drilled_run=case.drilled_run,
        faults=case.faults,
        outcomes=case.outcomes,
        run_limit_s=case.run_limit_s,
        recovery_limit_s=case.recovery_limit_s,
        adapters=case.adapters,
        history=history,
        reads=case.reads,
    )
    process = psutil.Process()
    before = process.memory_info().rss
    began_s = time.monotonic()
    judged = judge(fresh, _PROMISES)
    took_s = time.monotonic() - began_s
    if verdict_of(judged) is not Verdict.PASS:
        raise HarnessError(f"a sound case should pass, and did not: {[name for name in judged if judged[name]]}")
    return took_s, (process.memory_info().rss - before) / _MIB


def _case(size: int) -> Case:
    """A sound case with so many events, and as many rows: half artifacts, a quarter orders on either side."""
    symbols = tuple(f"S{number}" for number in range(size // 8))
    history = _history(size, symbols)
    return Case(
        drilled_run="drilled",
        faults=(),
        outcomes=("success",),
        run_limit_s=1e9,
        recovery_limit_s=1e9,
        adapters=Adapters.model_validate(
            {
                "airflow": {"url": "", "tasks_run_in": "", "username": "", "password": "", "dag": ""},
                "gateway": {"control": ""},
                "database": {"dsn": ""},
                "artifacts": {"sql": "SELECT", "per_symbol": {"draw": ["chart"]}},
                "orders": {"sql": "SELECT", "statuses": {"Filled": ["FILLED"]}},
                "signals": {"sql": "SELECT"},
                "outcome": {"sql": "SELECT"},
            }
        ),
        history=history,
        reads=_reads(history, symbols),
    )


def _history(size: int, symbols: tuple[str, ...]) -> History:
    events: list[Event] = [DrillStarted(scenario="large", seed=0, session="", wall=_BEGAN.isoformat())]
    for name, role in _RUNS:
        events.append(RunChanged(run=name, role=role, state="running"))
        events += [OrderRecorded(order_ref=f"{name}-{each}", status="FILLED", filled=Decimal(10)) for each in symbols]
        left = size // len(_RUNS) - len(symbols)
        events += [TaskChanged(run=name, task="draw", state="success", attempt=1) for _ in range(left)]
        events.append(RunChanged(run=name, role=role, state="success"))
    events += [ResourcesMeasured(service="s", when=when, threads=1) for when in ("steady", "recovered")]
    return History(
        tuple(
            Entry.model_construct(seq=number, at_s=100.0 + number * 1e-5, event=event)
            if number > 1
            else Entry.model_construct(seq=number, at_s=0.0, event=event)
            for number, event in enumerate(events, start=1)
        )
    )


def _reads(history: History, symbols: tuple[str, ...]) -> FinalReads:
    ten, price = Decimal(10), Decimal("1.5")
    # Each order reaches the broker as its run begins.
    sent = {
        event.run: _BEGAN + timedelta(seconds=entry.at_s)
        for entry, event in history.of(RunChanged)
        if event.state == "running"
    }
    names = [name for name, _ in _RUNS]
    return FinalReads(
        runs={name: RunRead(name, role, "success", symbols, (TaskRead("draw", "success", 1),)) for name, role in _RUNS},
        artifacts=tuple(
            ArtifactRow(name, "draw", "chart", each, f"{each} {period}", (("data", each),))
            for name in names
            for each in symbols
            for period in ("daily", "weekly")
        ),
        recorded_orders=tuple(
            RecordedOrder(f"{name}-{each}", name, each, "BUY", ten, "FILLED", 1, ten, price)
            for name in names
            for each in symbols
        ),
        broker_orders=tuple(
            BrokerOrder(f"{name}-{each}", 1, each, "BUY", ten, "Filled", ten, price, sent[name], sent[name])
            for name in names
            for each in symbols
        ),
        outcomes=tuple(OutcomeRow(name, "success", "[]") for name in names),
        notifications=(),
        signals=tuple(
            SignalRow(name, each, "BUY", actionable=True, data_as_of=_BEGAN.date())
            for name in names
            for each in symbols
        ),
    )
