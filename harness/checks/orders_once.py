"""No order is sent twice, none is missing, and the record of orders says at any moment what the ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from harness.checks import order_moments, order_runs
from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import BrokerOrder, RecordedOrder
from harness.stack.adapters import OrdersAdapter

NAME = "orders-once"
_PRICE_DIGIT = Decimal("0.000001")
_LEDGER = "the gateway's ledger: logs/ibkr-gateway.ledger.jsonl"


def orders_once(case: Case) -> Sequence[Finding]:
    """Hold the system's record of its orders against the gateway's own ledger, as far as each could be read."""
    adapter = case.adapters.orders
    if adapter is None:
        return []
    findings: list[Finding] = []
    if case.was_read("gateway"):
        findings += _sent_twice(case)
    if case.was_read("orders"):
        findings += _decided_twice(case, adapter)
        findings += order_runs.of_no_run(case, NAME)
    if case.was_read("gateway", "orders"):
        findings += _unrecorded(case)
        findings += _untrue(case, adapter)
        findings += order_runs.under_another_run(case, NAME)
        findings += order_runs.against_steady(case, NAME)
        findings += order_moments.too_early(case, adapter, NAME)
    return findings


def _finding(title: str, expected: str, found: str) -> Finding:
    return Finding(check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=_LEDGER)


def _sent_twice(case: Case) -> Iterator[Finding]:
    orders: dict[str, list[BrokerOrder]] = {}
    for order in case.reads.broker_orders:
        orders.setdefault(order.order_ref, []).append(order)
    for reference, same in orders.items():
        if len(same) > 1:
            sizes = ", ".join(f"{each.action} {each.quantity} {each.symbol} (permId {each.perm_id})" for each in same)
            yield _finding(
                "an order was sent twice",
                f"one order with reference {reference!r} at the broker",
                f"{len(same)} orders in the gateway's ledger: {sizes}",
            )


def _decided_twice(case: Case, adapter: OrdersAdapter) -> Iterator[Finding]:
    sent = [order for order in case.reads.recorded_orders if order.status not in adapter.never_sent]
    for (run, symbol), count in Counter((order.execution_id, order.symbol) for order in sent).items():
        if count > 1:
            yield _finding(
                "an order was placed twice in one run",
                f"one order for {symbol} in run {run}",
                f"{count} rows in the system's record of orders (SQL)",
            )


def _unrecorded(case: Case) -> Iterator[Finding]:
    for order in case.reads.broker_orders:
        if order.order_ref not in case.record:
            yield _finding(
                "an order at the broker is not recorded",
                f"{_text(order)} has a row in the system's record of orders",
                f"no row with reference {order.order_ref!r} (SQL)",
            )


def _untrue(case: Case, adapter: OrdersAdapter) -> Iterator[Finding]:
    settled = [order for order in case.reads.recorded_orders if order.execution_id not in case.cut_short]
    for recorded in settled:
        truth = case.ledger.get(recorded.order_ref)
        if truth is None and recorded.status not in adapter.never_sent:
            yield _finding(
                "an order is recorded that the broker never had",
                f"order {recorded.order_ref!r}, recorded as {recorded.status}, is in the gateway's ledger",
                "the gateway never received it",
            )
        elif truth is not None:
            yield from _compare(adapter, recorded, truth)


def _compare(adapter: OrdersAdapter, recorded: RecordedOrder, truth: BrokerOrder) -> Iterator[Finding]:
    if recorded.status in adapter.unknown:
        yield _finding(
            "an order's fate was left unknown",
            f"order {recorded.order_ref!r} recorded as the broker has it ({truth.status})",
            f"recorded as {recorded.status} (SQL)",
        )
        return
    allowed = adapter.statuses.get(truth.status, [])
    if recorded.status in allowed and _agree(recorded, truth):
        return
    pairs = [
        ("status", " or ".join(allowed) or truth.status, recorded.status, recorded.status in allowed),
        ("action", truth.action, recorded.action, truth.action == recorded.action),
        ("symbol", truth.symbol, recorded.symbol, truth.symbol == recorded.symbol),
        ("quantity", truth.quantity, recorded.quantity, truth.quantity == recorded.quantity),
        ("filled", truth.filled, recorded.filled, truth.filled == (recorded.filled or 0)),
        ("permId", truth.perm_id, recorded.perm_id, truth.perm_id == recorded.perm_id),
        ("price", truth.avg_price, recorded.avg_price, not truth.filled or _same(truth.avg_price, recorded.avg_price)),
    ]
    for field, true_value, value, agrees in pairs:
        if not agrees:
            yield _finding(
                "an order is recorded wrongly",
                f"{field} of order {recorded.order_ref!r} is {true_value} (ledger: {_text(truth)})",
                f"{field} is recorded as {value} (SQL)",
            )


def _agree(recorded: RecordedOrder, truth: BrokerOrder) -> bool:
    """Whether all but the status is the same: of a hundred thousand orders, hardly one needs its words."""
    return (recorded.action, recorded.symbol, recorded.quantity, recorded.perm_id, recorded.filled or 0) == (
        truth.action,
        truth.symbol,
        truth.quantity,
        truth.perm_id,
        truth.filled,
    ) and (not truth.filled or _same(truth.avg_price, recorded.avg_price))


def _same(price: Decimal | None, recorded: Decimal | None) -> bool:
    """Whether two average prices are the same; of an uneven one, neither side can keep every digit."""
    if price is None or recorded is None:
        return price is recorded
    return abs(price - recorded) < _PRICE_DIGIT


def _text(order: BrokerOrder) -> str:
    return f"{order.action} {order.quantity} {order.symbol}, {order.status}, permId {order.perm_id}"


CHECK = Check(
    name=NAME,
    judge=orders_once,
    holds_when="each run sends the orders that the steady run sends, once, or fewer where it does not say success; and"
    " at every moment the record of orders says what the broker's ledger says",
    witness="the gateway's ledger, SQL",
    needs=("orders", "gateway"),
    of_work=True,
    blind_to="orders that are wrong in the same way in every run, the steady one too; a record that is wrong for less"
    " than 50 ms",
)
