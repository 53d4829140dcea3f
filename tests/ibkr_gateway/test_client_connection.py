"""How ib_insync connects, and what several clients see of each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.ibkr_gateway.stub import ACCOUNT, CLOCK, Stub, ib_insync, receive_until, wait_until

Connect = Callable[..., Any]


def test_client_connects_at_its_newest_version(connect: Connect) -> None:
    """The handshake settles on ib_insync's own maximum, and the paper account is known."""
    client = connect()
    assert client.client.serverVersion() == 176
    assert client.managedAccounts() == [ACCOUNT]
    assert client.client.getReqId() >= 1


@pytest.mark.parametrize("version", [157, 158, 163, 164, 166, 169, 170, 176])
def test_client_completes_its_requests_at_every_layout_version(stub: Stub, loop: Any, version: int) -> None:
    """Qualifying, trading and reading back work at each version at which a layout changes."""
    stub.fill_after(0)
    client = ib_insync().IB()
    client.client.MaxClientVersion = version
    client.connect("127.0.0.1", stub.port, clientId=1, timeout=5)
    try:
        assert client.client.serverVersion() == version
        (contract,) = client.qualifyContracts(ib_insync().Stock("AAPL", "SMART", "USD"))
        trade = client.placeOrder(contract, ib_insync().MarketOrder("BUY", 3, orderRef=f"at-{version}"))
        receive_until(client, lambda: trade.fills and trade.isDone(), "filled")
        assert [fill.execution.orderRef for fill in client.reqExecutions()] == [f"at-{version}"]
        assert [done.order.orderRef for done in client.reqCompletedOrders(apiOnly=True)] == [f"at-{version}"]
        assert len(client.reqHistoricalData(contract, "", "5 D", "1 day", "TRADES", useRTH=True)) == 5
    finally:
        client.disconnect()


def test_current_time_is_that_of_the_drills_clock(connect: Connect) -> None:
    """The gateway's date is the one it was given, its time of day the real one."""
    now: datetime = connect().reqCurrentTime()
    drill = datetime.now(UTC).replace(*map(int, CLOCK.split("-")))  # type: ignore[arg-type]
    assert abs(now - drill).total_seconds() < 2 * 86_400


def test_farm_notices_follow_the_connect(connect: Connect, stub: Stub) -> None:
    """A client learns that the data farms are there."""
    connect()
    codes = [entry["fields"][3] for entry in stub.entries("message_out") if entry["name"] == "error"]
    assert codes == ["2104", "2106", "2158"]


def test_two_clients_are_served_at_once(connect: Connect) -> None:
    """Each has its own orders; both see those of all."""
    one, two = connect(1), connect(2)
    trade = one.placeOrder(
        ib_insync().Stock("AAPL", "SMART", "USD"), ib_insync().LimitOrder("BUY", 1, 10, orderRef="of-one")
    )
    receive_until(one, lambda: trade.orderStatus.status == "Submitted", "acknowledged")
    assert two.reqOpenOrders() == []
    assert [other.order.orderRef for other in two.reqAllOpenOrders()] == ["of-one"]
    assert [own.order.orderRef for own in one.reqOpenOrders()] == ["of-one"]


def test_taken_client_id_is_refused_with_326(connect: Connect, stub: Stub, loop: Any) -> None:
    """The second client hears 326 and is dropped; the first stays."""
    first = connect(5)
    second, heard = ib_insync().IB(), []
    second.errorEvent += lambda request_id, code, *_: heard.append((request_id, code))
    with pytest.raises((asyncio.TimeoutError, ConnectionError)):
        second.connect("127.0.0.1", stub.port, clientId=5, timeout=1)
    assert heard == [(-1, 326)]
    assert first.isConnected()
    first.reqCurrentTime()


def test_client_id_is_free_after_a_disconnect(connect: Connect, stub: Stub) -> None:
    """The same id connects again once the first connection has ended."""
    connect(5).disconnect()
    wait_until(lambda: stub.entries("connection_closed"), "the first connection has ended", evidence=stub.entries)
    assert connect(5).isConnected()


def test_connections_are_in_the_ledger(connect: Connect, stub: Stub) -> None:
    """Open and close are recorded, with the client's id once it is known."""
    connect(8).disconnect()
    wait_until(lambda: stub.entries("connection_closed"), "the connection has ended", evidence=stub.entries)
    (opened,), (closed,) = stub.entries("connection_opened"), stub.entries("connection_closed")
    assert (opened["client_id"], closed["client_id"]) == (None, 8)
    assert opened["peer"] == closed["peer"]
