"""How each client library connects, and what it is told then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.ibkr_gateway.protocol.codec import newest_version
from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Session, Ticket
from tests.ibkr_gateway.conformance.libraries import LIBRARIES
from tests.ibkr_gateway.conformance.process import CallFailed
from tests.ibkr_gateway.stub import ACCOUNT, CLOCK, Stub


def test_connect_settles_on_the_librarys_newest_version(client: Client, stub: Stub) -> None:
    """The handshake is the newest version that both speak, and the account and a first order id are known."""
    session = client.connect(stub.port, client_id=3)
    assert session.server_version == min(LIBRARIES[client.library].newest, newest_version())
    assert session.accounts == (ACCOUNT,)
    assert session.next_order_id >= 1
    assert client.is_connected()


def test_connect_is_followed_by_the_farm_notices(client: Client) -> None:
    """The data farms are there: notices that belong to no request."""
    client.current_time()
    assert [(fault.request_id, fault.code) for fault in client.faults()] == [(-1, 2104), (-1, 2106), (-1, 2158)]


def test_current_time_is_that_of_the_drills_clock(client: Client) -> None:
    """The real time of day on the drill's date, in whole seconds."""
    told = datetime.fromtimestamp(client.current_time(), UTC)
    real = datetime.now(UTC)
    assert abs(told.date() - datetime.fromisoformat(CLOCK).date()) <= timedelta(days=1)
    off_s = (real - told).total_seconds() % 86_400
    assert min(off_s, 86_400 - off_s) < 5


def test_taken_client_id_is_refused_with_326(client: Client, another: Client, stub: Stub) -> None:
    """The second client hears why and is dropped; the first one stays, with either library on either side."""
    with pytest.raises(CallFailed):
        another.connect(stub.port, client_id=1, timeout_s=1.0)
    assert [(fault.request_id, fault.code) for fault in another.faults()] == [(-1, 326)]
    assert not another.is_connected()
    assert client.current_time() > 0


def test_drop_is_noticed(client: Client, stub: Stub) -> None:
    """A client whose connection the gateway ends knows it."""
    stub.reset()
    client.wait_for_end()
    assert not client.is_connected()


def test_order_ids_go_on_after_a_reconnect(client: Client, reconnect: Callable[[Client, int], Session]) -> None:
    """A client that comes back is told an order id that it has not used."""
    used = client.place(Ticket("AAPL", "BUY", 1))
    client.wait_for_fills(used)
    assert reconnect(client, 1).next_order_id > used
