"""Which run an order is of, and whether that run should have sent it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from harness.checks.case import RUN_ENDED, Case
from harness.checks.finding import Finding, Weight
from harness.history.events import RunChanged

# What a run has sent may reach the broker a little later than the run is seen to end.
_MARGIN = timedelta(seconds=5)
Placed = Counter[tuple[str, str, str]]
_WHERE = "the gateway's ledger: logs/ibkr-gateway.ledger.jsonl · reads.json: recorded_orders"


def of_no_run(case: Case, check: str) -> Iterator[Finding]:
    """Orders that are recorded under a run that does not exist, or for what their run does not trade."""
    traded = {run.run_id: frozenset(run.symbols) for run in case.reads.runs.values()}
    for order in case.reads.recorded_orders:
        run = case.reads.runs.get(order.execution_id)
        if order.execution_id not in case.known_runs:
            yield _finding(
                check,
                "an order is recorded under a run that does not exist",
                f"order {order.order_ref!r} bears one of the runs {', '.join(sorted(case.known_runs))}",
                f"it bears {order.execution_id!r} (SQL)",
            )
        elif run is not None and run.symbols and order.symbol not in traded[run.run_id]:
            yield _finding(
                check,
                "an order is for what its run does not trade",
                f"orders of run {run.run_id} are for {', '.join(run.symbols)}",
                f"order {order.order_ref!r} is for {order.symbol} (SQL)",
            )


def under_another_run(case: Case, check: str) -> Iterator[Finding]:
    """Orders that the broker received while the run under which they are recorded was not going on."""
    record = case.record
    spans = _spans(case)
    for order in case.reads.broker_orders:
        recorded = record.get(order.order_ref)
        if recorded is None or order.received_at is None or recorded.execution_id not in spans:
            continue
        began, ended = spans[recorded.execution_id]
        if not began - _MARGIN <= order.received_at <= ended + _MARGIN:
            yield _finding(
                check,
                "an order is recorded under another run",
                f"order {order.order_ref!r} of run {recorded.execution_id} reaches the broker while that run goes on",
                f"the broker received it at {order.received_at.isoformat(timespec='milliseconds')},"
                f" and that run went on from {began.isoformat(timespec='milliseconds')}"
                f" to {ended.isoformat(timespec='milliseconds')}",
            )


def against_steady(case: Case, check: str) -> Iterator[Finding]:
    """Orders that a run sent and the steady run did not; and those that are missing though the run says success."""
    if case.steady is None:
        return
    record = case.record
    placed: dict[str, Placed] = {run: Counter() for run in case.reads.runs}
    for order in case.reads.broker_orders:
        recorded = record.get(order.order_ref)
        if recorded is not None and recorded.execution_id in placed:
            size = format(order.quantity.normalize(), "f")
            placed[recorded.execution_id][order.action, size, order.symbol] += 1
    twin = placed[case.steady.run_id]
    if not twin:
        return  # an empty read is no evidence, of what is too much neither
    for run in case.reads.runs.values():
        if run is case.steady:
            continue
        mine = placed[run.run_id]
        if more := mine - twin:
            yield _finding(
                check,
                "an order was sent that no sound run sends",
                f"run {run.run_id} sends {_orders(twin)}, as the steady run does",
                f"it sent {_orders(mine)}; too many, or others: {_orders(more)}",
            )
        missing = twin - mine
        if missing and case.word_of(run) == "success" and run.run_id not in case.cut_short:
            yield _finding(
                check,
                "an order is missing",
                f"run {run.run_id}, which says success, sends {_orders(twin)}, as the steady run does",
                f"the broker never had {_orders(missing)} of it",
            )


def _spans(case: Case) -> Mapping[str, tuple[datetime, datetime]]:
    """From when to when each run went on, as the harness saw it; of one that had not ended, to the end."""
    spans: dict[str, tuple[float, float]] = {}
    last_s = case.history.entries[-1].at_s if case.history.entries else 0.0
    for entry, event in case.history.of(RunChanged):
        began_s = spans.get(event.run, (entry.at_s, last_s))[0]
        spans[event.run] = (began_s, entry.at_s if event.state in RUN_ENDED else last_s)
    walls = {run: (case.wall_at(began_s), case.wall_at(ended_s)) for run, (began_s, ended_s) in spans.items()}
    return {run: (began, ended) for run, (began, ended) in walls.items() if began is not None and ended is not None}


def _orders(placed: Placed) -> str:
    listed = [f"{' '.join(order)}{f' ({count} times)' if count > 1 else ''}" for order, count in placed.items()]
    return ", ".join(listed) or "no order"


def _finding(check: str, title: str, expected: str, found: str) -> Finding:
    return Finding(check=check, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=_WHERE)
