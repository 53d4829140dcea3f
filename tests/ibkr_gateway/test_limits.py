"""What one peer may do to the gateway: half frames, silence at the start, a disappearance."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from fixtures.ibkr_gateway.protocol.framing import MAX_FRAME_BYTES
from fixtures.ibkr_gateway.server import session
from fixtures.ibkr_gateway.server.endpoint import _noticing_loss, bound
from fixtures.ibkr_gateway.server.half_sent import MOST_BYTES, HalfSent
from tests.ibkr_gateway.stub import Stub, wait_until
from tests.ibkr_gateway.test_undecodable import HELLO, raw

Connect = Callable[..., Any]
MEGABYTE = 1024 * 1024
SENDERS = 12


def test_bound_counts_all_connections_of_a_peer_and_no_other() -> None:
    """Ten connections have what one has, and the neighbour has its own."""
    bound = HalfSent(most_bytes=100)
    assert all(bound.note(number, "10.0.0.1", 10) for number in range(10))
    assert bound.note(10, "10.0.0.2", 100)
    assert not bound.note(11, "10.0.0.1", 1)
    assert bound.note(3, "10.0.0.1", 0)
    assert bound.note(12, "10.0.0.1", 9)


def test_half_frames_of_one_peer_stay_below_their_bound(connect: Connect, stub: Stub) -> None:
    """Clients that each send a part of a frame cost no more than the bound, and another client is served."""
    other = connect()
    before_bytes = psutil.Process(stub.process.pid).memory_info().rss
    half = struct.pack(">I", MAX_FRAME_BYTES) + b"1" * (4 * MEGABYTE)
    with ExitStack() as open_connections:
        for _ in range(SENDERS):
            connection = open_connections.enter_context(raw(stub, HELLO))
            # The gateway may end it while it is still written to.
            threading.Thread(target=_send, args=(connection, half), daemon=True).start()
        wait_until(lambda: stub.entries("connection_closed"), "one was ended", 60, evidence=stub.entries)
        grown_bytes = psutil.Process(stub.process.pid).memory_info().rss - before_bytes
        assert grown_bytes < 3 * MOST_BYTES, f"{grown_bytes / MEGABYTE:.0f} MB"
        other.reqCurrentTime()
    said = [entry["reason"] for entry in stub.entries("message_in") if entry["name"] == "undecodable"]
    assert "too much was sent of frames that never became whole" in said


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        return


@pytest.mark.sweep
def test_connection_without_a_greeting_is_ended(stub: Stub) -> None:
    """Who connects and says half of a greeting is not waited for long; who has greeted may be silent."""
    with raw(stub, b"AP") as silent, raw(stub, HELLO) as greeted:
        began_s = time.monotonic()
        silent.settimeout(session._GREETING_S + 30)
        assert silent.recv(1) == b""
        assert time.monotonic() - began_s > session._GREETING_S - 2
        assert greeted.recv(100)
        assert stub.entries("connection_closed")[0]["connection"] == stub.entries("connection_opened")[0]["connection"]
        assert len(stub.entries("connection_closed")) == 1


def test_machine_watches_for_peers_that_vanish() -> None:
    """A connection that the gateway accepts is probed, and given up where nothing arrives any more."""
    with _noticing_loss(bound("127.0.0.1", 0)) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle_s = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            probes_s = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * accepted.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_KEEPCNT
            )
            assert idle_s + probes_s <= 60
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000
