"""Each order follows a signal of its own run: as decided, on fresh data, and only where one may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import BrokerOrder, RunRead, SignalRow
from harness.stack.adapters import SignalsAdapter

NAME = "orders-follow-signals"
_SATURDAY = 5
Signals = Mapping[tuple[str, str], Sequence[SignalRow]]


def orders_follow_signals(case: Case) -> Sequence[Finding]:
    """Hold each order that the broker had against what its run had decided."""
    adapter = case.adapters.signals
    if adapter is None or not case.was_read("gateway", "orders", "signals"):
        return []
    signals: dict[tuple[str, str], list[SignalRow]] = {}
    for row in case.reads.signals:
        signals.setdefault((row.execution_id, row.symbol), []).append(row)
    findings: list[Finding] = []
    for order in case.reads.broker_orders:
        # One that no record knows of is another promise's finding.
        if (recorded := case.record.get(order.order_ref)) is not None:
            findings += _judge(case, adapter, signals, order, recorded.execution_id)
    return findings


def _judge(case: Case, adapter: SignalsAdapter, signals: Signals, order: BrokerOrder, run_id: str) -> Iterator[Finding]:
    ordered = f"{order.action} {order.quantity:f} {order.symbol} of run {run_id}"
    run = case.reads.runs.get(run_id)
    if run is not None and (closed := _gate_not_passed(adapter, run)):
        expected = f"{ordered} is sent only after {closed} has ended well"
        yield _finding("an order was sent although a check before it had failed", expected, f"{closed} had not")
    found = signals.get((run_id, order.symbol), ())
    if not found:
        yield _finding("an order follows no signal", f"{ordered} follows a signal of that run", "that run stored none")
        return
    if not any(signal.actionable for signal in found):
        expected = f"{ordered} follows a signal that may be acted upon"
        said = ", ".join(f"{signal.action}, not to be acted upon" for signal in found)
        yield _finding("an order was sent on a signal that none may follow", expected, f"the run decided {said}")
        return
    signal = next(signal for signal in found if signal.actionable)
    decided = f"{signal.action} {signal.symbol}"
    if signal.action != order.action:
        yield _finding("an order is not as decided", f"the run decided {decided}", f"it sent {ordered}")
    if signal.quantity is not None and signal.quantity != order.quantity:
        expected = f"the run decided {signal.action} {signal.quantity:f} {signal.symbol}"
        yield _finding("an order is not as decided", expected, f"it sent {ordered}")
    if signal.data_as_of is not None and order.received_at is not None:
        old = _sessions_between(signal.data_as_of, order.received_at)
        if old > adapter.sessions_old:
            expected = f"{ordered} rests on data at most {adapter.sessions_old} sessions old when it is sent"
            newest = f"its newest data is of {signal.data_as_of}, {old} sessions before"
            yield _finding("an order was sent on old data", expected, newest)


def _gate_not_passed(adapter: SignalsAdapter, run: RunRead) -> str | None:
    states = {task.task_id: task.state for task in run.tasks}
    return next((gate for gate in adapter.gates if states and states.get(gate) != "success"), None)


def _sessions_between(newest: date, sent: datetime) -> int:
    """The weekdays between the newest data and the order: holidays count, and only make the data look older."""
    days = (sent.date() - newest).days
    return sum((newest + timedelta(days=day)).weekday() < _SATURDAY for day in range(1, days))


def _finding(title: str, expected: str, found: str) -> Finding:
    see = "reads.json: signals, recorded_orders · logs/ibkr-gateway.ledger.jsonl"
    return Finding(check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=orders_follow_signals,
    holds_when="each order follows a signal of its own run, side, symbol and size as decided; none on a fallback's"
    " word, on old data, or after a check before it had failed",
    witness="the gateway's ledger, SQL, Airflow's API",
    needs=("signals", "orders", "gateway"),
    of_work=True,
    blind_to="whether a decision was a good one; exchange holidays, which only make data look older than it is",
)
