"""What each client library sees of an order that fills in pieces, with the ledger as witness."""

from __future__ import annotations

import itertools
from decimal import Decimal

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Execution, Position, Ticket
from tests.ibkr_gateway.stub import ACCOUNT, Stub

SHARES, PIECES, PRICE = 1000, 3, 430.48
ORDER = Ticket("AAPL", "BUY", SHARES, reference="pieces")


def fill_in_pieces(stub: Stub) -> None:
    """Let every order fill in pieces, with a short wait between them."""
    stub.control.patch("/behaviour", json={"fill_pieces": PIECES, "fill_delay_s": 0.02}).raise_for_status()


def test_pieces_are_executions_that_add_up(client: Client, stub: Stub) -> None:
    """Three executions, numbered in their ids; shares and commissions add up to the order's."""
    fill_in_pieces(stub)
    executions = client.wait_for_fills(client.place(ORDER), PIECES)
    shares = [execution.shares for execution in executions]
    assert [execution.cumulative for execution in executions] == list(itertools.accumulate(shares))
    assert (len(shares), sum(shares)) == (PIECES, SHARES)
    # Behind the last dot stands which correction it is: two ids that differ only there are the same execution.
    stems, numbers, corrections = zip(*(execution.exec_id.rsplit(".", 2) for execution in executions), strict=True)
    assert (len(set(stems)), numbers, set(corrections)) == (1, ("01", "02", "03"), {"01"})
    assert {(execution.price, execution.average_price) for execution in executions} == {(PRICE, PRICE)}
    assert round(sum(execution.commission for execution in executions), 2) == 0.005 * SHARES
    assert {execution.perm_id for execution in executions} == {stub.orders()[0]["perm_id"]}


def test_pieces_are_told_as_progress_of_a_submitted_order(client: Client, stub: Stub) -> None:
    """Between the acknowledgement and Filled the order stays Submitted, and what is filled of it grows."""
    fill_in_pieces(stub)
    order_id = client.place(ORDER)
    progress = client.wait_for_status(order_id, "Filled")
    assert [now.status for now in progress] == ["PreSubmitted", "Submitted", "Submitted", "Submitted", "Filled"]
    filled = [now.filled for now in progress[1:]]
    assert filled == sorted(set(filled))
    assert (filled[0], filled[-1]) == (0, SHARES)
    assert {now.filled + now.remaining for now in progress} == {SHARES}
    assert [now.average_price for now in progress] == [0, 0, PRICE, PRICE, PRICE]
    told = [(entry["status"], float(entry["filled"])) for entry in stub.entries("order_status")]
    assert told == [(now.status, now.filled) for now in progress]


def test_pieces_equal_the_ledgers_fills(client: Client, stub: Stub) -> None:
    """Live, asked for later, and in the ledger there are the same fills, and they make one position."""
    fill_in_pieces(stub)
    live = client.wait_for_fills(client.place(ORDER), PIECES)
    assert client.executions() == live
    assert [
        (fill["exec_id"], Decimal(fill["shares"]), Decimal(fill["cumulative"]), Decimal(fill["commission"]))
        for fill in stub.entries("fill")
    ] == [as_the_ledger_tells(execution) for execution in live]
    assert client.positions() == [Position(ACCOUNT, 265598, "AAPL", SHARES, 430.485)]


def as_the_ledger_tells(execution: Execution) -> tuple[str, Decimal, Decimal, Decimal]:
    """Return an execution's id, shares, cumulative shares and commission as exact numbers."""
    numbers = (execution.shares, execution.cumulative, execution.commission)
    shares, cumulative, commission = (Decimal(str(number)) for number in numbers)
    return execution.exec_id, shares, cumulative, commission


def test_partly_filled_order_keeps_its_fills_when_it_is_cancelled(client: Client, stub: Stub) -> None:
    """What was filled stays filled, and the completed order tells how much."""
    stub.control.patch("/behaviour", json={"fill_pieces": 2, "fill_delay_s": 0.5}).raise_for_status()
    order_id = client.place(ORDER)
    (execution,) = client.wait_for_fills(order_id)
    client.cancel(order_id)
    last = client.wait_for_status(order_id, "Cancelled")[-1]
    assert (last.filled, last.remaining) == (execution.shares, SHARES - execution.shares) == (500, 500)
    assert [(done.status, done.filled) for done in client.completed_orders()] == [("Cancelled", 500)]
    assert [held.quantity for held in client.positions()] == [500]
    assert [fill["exec_id"] for fill in stub.entries("fill")] == [execution.exec_id]
