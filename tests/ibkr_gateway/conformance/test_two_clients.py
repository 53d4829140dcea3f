"""Two different client libraries at one gateway at the same time."""

from __future__ import annotations

from collections.abc import Callable

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Session, Ticket
from tests.ibkr_gateway.stub import Stub

Reconnect = Callable[[Client, int], Session]


def rest(client: Client, reference: str) -> int:
    """Place an order that is not filled, and wait until it is acknowledged."""
    order_id = client.place(Ticket("AAPL", "BUY", 1, "LMT", limit_price=10, reference=reference))
    client.wait_for_status(order_id, "Submitted")
    return order_id


def test_clients_see_their_own_open_orders_and_may_ask_for_all(client: Client, other: Client, stub: Stub) -> None:
    """An order belongs to the client that placed it, even where both use the same order id."""
    rest(client, "of one")
    rest(other, "of two")
    assert [(order.client_id, order.ticket.reference) for order in client.open_orders()] == [(1, "of one")]
    assert [(order.client_id, order.ticket.reference) for order in other.open_orders()] == [(2, "of two")]
    for asking in (client, other):
        everyones = asking.open_orders(everyone=True)
        assert [(order.client_id, order.ticket.reference) for order in everyones] == [(1, "of one"), (2, "of two")]
    assert [(order["client_id"], order["order_ref"]) for order in stub.orders()] == [(1, "of one"), (2, "of two")]


def test_clients_trade_at_once_and_share_the_position(client: Client, other: Client, stub: Stub) -> None:
    """Each is told of its own fills only, and both of what the account holds."""
    client.positions()
    other.positions()
    own, others = client.place(Ticket("AAPL", "BUY", 10)), other.place(Ticket("AAPL", "BUY", 20))
    assert [execution.shares for execution in client.wait_for_fills(own)] == [10]
    assert [execution.shares for execution in other.wait_for_fills(others)] == [20]
    for asked in (client, other):
        asked.wait_for_position("AAPL", 30)
        assert [(held.symbol, held.quantity) for held in asked.positions()] == [("AAPL", 30)]
    fills = [(fill["shares"], fill["side"]) for fill in stub.entries("fill")]
    assert sorted(fills) == [("10", "BOT"), ("20", "BOT")]


def test_order_outlives_the_client_that_placed_it(client: Client, other: Client, reconnect: Reconnect) -> None:
    """It is still open at the broker, and is its client's own again when that comes back."""
    rest(client, "kept")
    client.disconnect()
    assert [order.ticket.reference for order in other.open_orders(everyone=True)] == ["kept"]
    reconnect(client, 1)
    assert [order.ticket.reference for order in client.open_orders()] == ["kept"]
