"""Connections that are lost without a word, that a forwarder accepts in vain, and ids that outlive a reset."""

from __future__ import annotations

import contextlib
import socket
import time

from tests.ibkr_gateway.faults.desk import Desk, aapl, buy
from tests.ibkr_gateway.stub import notice_loss, wait_until


def test_connection_dies_without_a_close(desk: Desk) -> None:
    """Nothing is answered and nothing ends: the client believes to be connected, and its order is lost."""
    client = desk.watched(7)
    fault = desk.order("connection-dead")
    client.placeOrder(aapl(), buy())
    client.client.reqCurrentTime()
    # Another one is served meanwhile, so that there was time for an answer.
    assert desk.attempt(8) == "connected"
    assert client.isConnected()
    ended = [entry["client_id"] for entry in desk.stub.entries("connection_closed")]
    assert (desk.stub.orders(), 7 in ended, desk.hits(fault)) == ([], False, 1)


def test_id_of_a_dead_connection_stays_taken_and_others_are_served(desk: Desk) -> None:
    """The gateway has not noticed either, even when the client gives up; lifted, the connection is reset."""
    client = desk.watched(7)
    fault = desk.order("connection-dead")
    assert desk.attempt(8) == "connected"
    client.disconnect()
    assert desk.attempt(7, timeout_s=0.3) == "TimeoutError"
    assert 326 in desk.codes
    desk.lift(fault)
    assert desk.attempt(7) == "connected"


def test_lifted_dead_connection_is_reset(desk: Desk) -> None:
    """A client that is still there learns of the loss then."""
    client = desk.watched()
    desk.lift(desk.order("connection-dead"))
    notice_loss(client, desk.loop)
    assert not client.isConnected()


def test_connection_dies_with_the_order_that_it_carried(desk: Desk) -> None:
    """On demand the order is carried out, and its client never hears of it."""
    client = desk.watched()
    desk.order("connection-dead", on={"request": "placeOrder"}, still_done=True)
    trade = client.placeOrder(aapl(), buy(orderRef="done"))
    wait_until(lambda: desk.stub.entries("fill"), "filled", evidence=desk.stub.orders)
    assert desk.attempt(8) == "connected"
    assert (trade.orderStatus.status, client.isConnected()) == ("PendingSubmit", True)


def test_request_that_meets_a_death_ordered_once_is_lost(desk: Desk) -> None:
    """A fault that was to hit once has hit when the connection dies; the request is lost all the same."""
    client = desk.watched(7)
    fault = desk.order("connection-dead", on={"request": "placeOrder"}, times=1)
    client.placeOrder(aapl(), buy())
    assert desk.attempt(8) == "connected"
    assert (desk.stub.orders(), desk.hits(fault), client.isConnected()) == ([], 1, True)


def test_forwarder_accepts_and_closes(desk: Desk) -> None:
    """Clients are dropped; a connection is accepted, hears nothing, and ends; lifted, clients are served."""
    client = desk.watched()
    fault = desk.order("forwarder-closes")
    notice_loss(client, desk.loop)
    with socket.create_connection(("127.0.0.1", desk.stub.port), 5) as connection:
        assert connection.recv(1) == b""
    assert desk.attempt() in {"TimeoutError", "ConnectionError", "ConnectionResetError"}
    assert desk.hits(fault) == 2
    desk.lift(fault)
    assert desk.attempt() == "connected"


def test_forwarder_waits_before_it_closes(desk: Desk) -> None:
    """What is said to it meanwhile is not answered."""
    desk.order("forwarder-closes", after_s=0.3)
    began_s = time.monotonic()
    with socket.create_connection(("127.0.0.1", desk.stub.port), 5) as connection:
        connection.sendall(b"API\0\0\0\0\x09v100..178")
        # What was said and not read is told to be lost.
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert time.monotonic() - began_s >= 0.3


def test_reset_frees_no_lingering_id(desk: Desk) -> None:
    """A reset drops the client, and the fault outlives it: the id stays taken for its time."""
    client = desk.connect(7)
    fault = desk.order("client-id-lingers", after_s=1.0)
    other = desk.order("history-no-data")
    desk.stub.control.post("/reset").raise_for_status()
    notice_loss(client, desk.loop)
    assert desk.stub.control.get(f"/faults/{other}").status_code == 404
    assert desk.attempt(7, timeout_s=0.3) != "connected"
    assert 326 in desk.codes
    assert desk.hits(fault) == 1
    wait_until(lambda: desk.attempt(7, timeout_s=0.5) == "connected", "the id is free again")
    desk.lift(fault)
    desk.stub.control.post("/reset").raise_for_status()
    assert desk.stub.control.get("/faults").json()["faults"] == []
