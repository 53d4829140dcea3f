"""What the record of orders said at each moment of the run, held against the times in the broker's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from harness.checks.case import Case
from harness.checks.finding import Finding, Weight
from harness.history.measurements import OrderRecorded
from harness.stack.adapters import OrdersAdapter

# Both clocks are of one machine; a look at the record takes some milliseconds, and never makes a change look earlier.
_CLOCK = timedelta(milliseconds=5)


def too_early(case: Case, adapter: OrdersAdapter, check: str) -> Iterator[Finding]:
    """Find an order that was recorded as done, or as filled so far, before the broker had it so."""
    filled = set(adapter.statuses.get("Filled", ()))
    told: set[str] = set()
    for entry, event in case.history.of(OrderRecorded):
        truth, seen_at = case.ledger.get(event.order_ref), case.wall_at(entry.at_s)
        if truth is None or seen_at is None or event.order_ref in told:
            continue
        claims_fill = event.status in filled or event.filled >= truth.quantity
        true_from = truth.ended_at if claims_fill else truth.received_at
        claims_nothing = not claims_fill and event.status in {*adapter.never_sent, *adapter.unknown}
        if claims_nothing or true_from is None or seen_at + _CLOCK >= true_from:
            continue
        told.add(event.order_ref)
        what, seen = "filled" if claims_fill else "received", seen_at.isoformat(timespec="milliseconds")
        yield Finding(
            check=check,
            weight=Weight.SAFETY,
            title="an order was recorded before it was so",
            expected=f"order {event.order_ref!r} is {event.status} in the record once the broker has {what} it,"
            f" at {true_from.isoformat(timespec='milliseconds')} (ledger)",
            found=f"recorded as {event.status} ({event.filled:f} filled) at {seen} (SQL),"
            f" {(true_from - seen_at).total_seconds():.3f} s before",
            see=f"{case.history.lines(entry, entry)} · logs/ibkr-gateway.ledger.jsonl",
        )
