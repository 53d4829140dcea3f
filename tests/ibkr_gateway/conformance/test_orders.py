"""What each client library sees of its orders, from the placing to the commission, with the ledger as witness."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import CompletedOrder, Execution, OpenOrder, Ticket
from tests.ibkr_gateway.stub import ACCOUNT, Stub

# AAPL is bid at 430.46 and offered at 430.48.
BID, ASK = 430.46, 430.48
MARKETABLE = [
    (Ticket("AAPL", "BUY", 10, reference="r"), ASK),
    (Ticket("AAPL", "SELL", 10, reference="r"), BID),
    (Ticket("AAPL", "BUY", 10, "LMT", limit_price=500, reference="r"), ASK),
    (Ticket("AAPL", "SELL", 10, "LMT", limit_price=400, reference="r"), BID),
    (Ticket("AAPL", "BUY", 10, "STP", stop_price=400, reference="r"), ASK),
    (Ticket("AAPL", "SELL", 10, "STP", stop_price=500, reference="r"), BID),
]
RESTING = [
    (Ticket("AAPL", "BUY", 5, "LMT", limit_price=100.25, reference="rest"), "Submitted"),
    (Ticket("AAPL", "SELL", 5, "LMT", limit_price=900.5, reference="rest"), "Submitted"),
    (Ticket("AAPL", "SELL", 5, "STP", stop_price=100.25, reference="rest"), "PreSubmitted"),
    (Ticket("AAPL", "BUY", 5, "STP", stop_price=900.5, reference="rest"), "PreSubmitted"),
]


def named(ticket: Ticket) -> str:
    """Name a case."""
    return f"{ticket.order_type}-{ticket.action}"


def ledger_statuses(stub: Stub) -> list[str]:
    """Return the states that the ledger tells, of all orders."""
    return [entry["status"] for entry in stub.entries("order_status")]


@pytest.mark.parametrize(("ticket", "price"), MARKETABLE, ids=[named(ticket) for ticket, _ in MARKETABLE])
def test_marketable_order_fills_at_the_quote(client: Client, stub: Stub, ticket: Ticket, price: float) -> None:
    """PreSubmitted, Submitted, Filled, then an execution and its commission, as the ledger tells them."""
    order_id = client.place(ticket)
    progress = client.wait_for_status(order_id, "Filled")
    assert [now.status for now in progress] == ["PreSubmitted", "Submitted", "Filled"] == ledger_statuses(stub)
    assert [(now.filled, now.remaining, now.average_price) for now in progress] == [
        (0, 10, 0),
        (0, 10, 0),
        (10, 0, price),
    ]
    (execution,) = client.wait_for_fills(order_id)
    (order,), (fill,) = stub.orders(), stub.entries("fill")
    assert execution == Execution(
        exec_id=fill["exec_id"],
        order_id=order_id,
        perm_id=order["perm_id"],
        client_id=1,
        account=ACCOUNT,
        symbol="AAPL",
        side={"BUY": "BOT", "SELL": "SLD"}[ticket.action],
        shares=10,
        price=price,
        cumulative=10,
        average_price=price,
        reference="r",
        executed_at_s=int(datetime.fromisoformat(fill["executed_at"]).timestamp()),
        commission=1.0,
        commission_currency="USD",
        realized_pnl=0.0,
    )
    assert {now.perm_id for now in progress} == {order["perm_id"]}
    assert (order["status"], order["filled"], fill["price"]) == ("Filled", "10", str(price))
    (received,) = stub.entries("order_received")
    assert (received["order_id"], received["action"], received["order_type"], received["symbol"]) == (
        order_id,
        ticket.action,
        ticket.order_type,
        "AAPL",
    )


@pytest.mark.parametrize(("ticket", "status"), RESTING, ids=[named(ticket) for ticket, _ in RESTING])
def test_resting_order_is_open_until_it_is_cancelled(client: Client, stub: Stub, ticket: Ticket, status: str) -> None:
    """It is among the open orders with all its terms, is cancelled with 202, and is among the completed ones then."""
    stub.fill_after(0)
    order_id = client.place(ticket)
    perm_id = client.wait_for_status(order_id, status)[-1].perm_id
    assert client.open_orders() == [OpenOrder(order_id, perm_id, 1, ticket, status)]
    client.cancel(order_id)
    assert client.wait_for_status(order_id, "Cancelled")[-1].filled == 0
    client.current_time()
    assert [(f.request_id, f.code) for f in client.faults() if f.request_id != -1] == [(order_id, 202)]
    assert client.open_orders() == []
    assert client.completed_orders() == [CompletedOrder(perm_id, ticket, "Cancelled", 0)]
    assert [(order["perm_id"], order["status"]) for order in stub.orders()] == [(perm_id, "Cancelled")]
    assert stub.entries("fill") == []


def test_modified_order_takes_its_new_limit(client: Client, stub: Stub) -> None:
    """It is the same order with another price; once that is met, it fills."""
    order_id = client.place(Ticket("AAPL", "BUY", 5, "LMT", limit_price=100, reference="m"))
    client.wait_for_status(order_id, "Submitted")
    client.modify(order_id, 200.5)
    client.current_time()
    (changed,) = client.open_orders()
    assert (changed.order_id, changed.ticket.limit_price) == (order_id, 200.5)
    client.modify(order_id, 500)
    client.wait_for_status(order_id, "Filled")
    assert [execution.price for execution in client.wait_for_fills(order_id)] == [ASK]
    limits = [entry["limit_price"] for entry in stub.entries("order_modified")]
    assert [Decimal(limit) for limit in limits] == [Decimal("200.5"), 500]
    assert [(order["order_ref"], order["status"]) for order in stub.orders()] == [("m", "Filled")]


def test_cancel_of_a_filled_order_is_refused_with_10148(client: Client, stub: Stub) -> None:
    """The fill stands."""
    order_id = client.place(Ticket("AAPL", "BUY", 1))
    client.wait_for_fills(order_id)
    client.cancel(order_id)
    client.current_time()
    assert [(f.request_id, f.code) for f in client.faults() if f.request_id != -1] == [(order_id, 10148)]
    assert [order["status"] for order in stub.orders()] == ["Filled"]


def test_completed_orders_tell_what_was_filled(client: Client) -> None:
    """A filled order is told with its terms and its shares."""
    ticket = Ticket("AAPL", "BUY", 7, "LMT", limit_price=500.5, reference="done")
    order_id = client.place(ticket)
    perm_id = client.wait_for_status(order_id, "Filled")[-1].perm_id
    assert client.completed_orders() == [CompletedOrder(perm_id, ticket, "Filled", 7)]


def test_what_if_order_is_answered_and_not_placed(client: Client, stub: Stub) -> None:
    """Margin and commission are told; nothing reaches the broker."""
    told = client.what_if(Ticket("AAPL", "BUY", 100))
    change = 430.47 * 100 / 4
    assert (told.status, told.commission, told.currency) == ("PreSubmitted", 1.0, "USD")
    assert (told.margin_before, told.margin_change, told.margin_after) == (0, change, change)
    assert told.equity_after == 1_000_000 - 1
    assert (stub.orders(), stub.entries("order_received"), client.open_orders()) == ([], [], [])


def test_refused_order_never_reaches_the_broker(client: Client, stub: Stub) -> None:
    """An order of an unserved type is refused with 387 under its own id."""
    order_id = client.place(Ticket("AAPL", "BUY", 1, "REL"))
    client.current_time()
    assert [(f.request_id, f.code) for f in client.faults() if f.request_id != -1] == [(order_id, 387)]
    assert (stub.orders(), client.open_orders()) == ([], [])
