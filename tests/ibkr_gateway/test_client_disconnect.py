"""Orders whose client has gone: they live on, and are found by their reference."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from tests.ibkr_gateway.stub import Stub, ib_insync, notice_loss, receive_until, wait_until

Connect = Callable[..., Any]
REFERENCE = "run-17-AAPL"


def cut(client: Any) -> None:
    """Reset the client's connection, as a broken link does."""
    endpoint = client.client.conn.transport.get_extra_info("socket")
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.client.conn.transport.abort()


def placed_and_cut(client: Any, stub: Stub, loop: asyncio.AbstractEventLoop) -> None:
    """Send an order and lose the connection as soon as the gateway has it, before its fill."""
    client.placeOrder(ib_insync().Stock("AAPL", "SMART", "USD"), ib_insync().MarketOrder("BUY", 10, orderRef=REFERENCE))
    receive_until(client, lambda: stub.entries("order_received"), "order received", evidence=stub.entries)
    assert stub.entries("fill") == []
    cut(client)
    notice_loss(client, loop)
    wait_until(lambda: stub.entries("connection_closed"), "connection lost", evidence=stub.entries)


def test_order_fills_without_its_client_and_is_found_by_reference(
    connect: Connect, stub: Stub, loop: asyncio.AbstractEventLoop
) -> None:
    """The fill happens meanwhile; on reconnect it is in the completed orders and the executions, once."""
    stub.fill_after(0.5)
    placed_and_cut(connect(6), stub, loop)
    assert stub.entries("fill") == []
    wait_until(lambda: stub.entries("fill"), "filled without its client", evidence=stub.entries)
    again = connect(6)
    completed = again.reqCompletedOrders(apiOnly=False)
    assert [(done.order.orderRef, done.orderStatus.status) for done in completed] == [(REFERENCE, "Filled")]
    (fill,) = again.reqExecutions()
    assert (fill.execution.orderRef, fill.execution.shares) == (REFERENCE, 10)
    assert fill.execution.permId == completed[0].order.permId
    assert again.reqOpenOrders() == []
    assert [position.position for position in again.positions()] == [10]


def test_order_still_open_on_reconnect_is_found_and_then_fills_live(
    connect: Connect, stub: Stub, loop: asyncio.AbstractEventLoop
) -> None:
    """A client that is back before the fill sees the order open, and then its fill and commission."""
    stub.fill_after(1.5)
    placed_and_cut(connect(6), stub, loop)
    again = connect(6)
    (trade,) = again.openTrades()
    assert trade.order.orderRef == REFERENCE
    receive_until(again, lambda: trade.fills and trade.isDone(), "filled after the reconnect")
    assert trade.orderStatus.status == "Filled"
    assert trade.fills[0].commissionReport.commission == 1.0


def test_other_client_finds_the_order_by_reference(
    connect: Connect, stub: Stub, loop: asyncio.AbstractEventLoop
) -> None:
    """A client under another id finds it among all open orders, the completed orders and the executions."""
    stub.fill_after(0.5)
    placed_and_cut(connect(6), stub, loop)
    other = connect(7)
    assert [trade.order.orderRef for trade in other.reqAllOpenOrders()] == [REFERENCE]
    wait_until(lambda: stub.entries("fill"), "filled", evidence=stub.entries)
    assert [done.order.orderRef for done in other.reqCompletedOrders(apiOnly=False)] == [REFERENCE]
    assert [fill.execution.orderRef for fill in other.reqExecutions()] == [REFERENCE]
