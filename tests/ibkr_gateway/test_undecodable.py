"""What the gateway does with bytes that make no sense: an answer, and no harm to anyone."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fixtures.ibkr_gateway.protocol.framing import frame as frame_of
from fixtures.ibkr_gateway.protocol.framing import pack
from tests.ibkr_gateway.speaker import named, speaking
from tests.ibkr_gateway.stub import Stub, wait_until

Connect = Callable[..., Any]
HELLO = b"API\0" + struct.pack(">I", 9) + b"v157..176"
START = pack(["71", "2", "77", ""])


@contextmanager
def raw(stub: Stub, *sent: bytes) -> Iterator[socket.socket]:
    """Open a plain socket and send bytes."""
    with socket.create_connection(("127.0.0.1", stub.port), timeout=5) as connection:
        connection.sendall(b"".join(sent))
        yield connection


def frame(connection: socket.socket) -> list[str]:
    """Receive one frame; empty if the gateway closed the connection."""
    head = connection.recv(4, socket.MSG_WAITALL)
    if not head:
        return []
    (size_bytes,) = struct.unpack(">I", head)
    return connection.recv(size_bytes, socket.MSG_WAITALL).decode()[:-1].split("\0")


def error_code(connection: socket.socket) -> tuple[str, str]:
    """Receive frames up to an error that is no notice, and return its request id and code."""
    while fields := frame(connection):
        if fields[0] == "4" and not fields[3].startswith("21"):
            return fields[2], fields[3]
    raise AssertionError("the connection was closed without an error")


@pytest.mark.parametrize(
    ("sent", "request_id"),
    [
        (pack(["49", "x"]), "-1"),
        (pack(["9999", "1"]), "-1"),
        (pack(["9999", "1", "31"]), "-1"),
        (pack([""]), "-1"),
        (pack(["49"]), "-1"),
        (pack(["49", "1", "1", "1"]), "-1"),
        (pack(["7", "3", "41", "no number"]), "41"),
        (pack(["3", "17", "rubbish"]), "17"),
        (struct.pack(">I", 0), "-1"),
        (struct.pack(">I", 3) + b"49\0"[:3], "-1"),
        (struct.pack(">I", 3) + b"\xff\xfe\0", "-1"),
        (struct.pack(">I", 2) + b"49", "-1"),
        (pack(["6", "2", "1", "DU000"]), "-1"),
    ],
    ids=str,
)
def test_undecodable_frame_is_answered_and_the_session_goes_on(stub: Stub, sent: bytes, request_id: str) -> None:
    """The client is told with 320 (321 for a wrong account), and its next request is served."""
    with raw(stub, HELLO, START, sent, pack(["49", "1"])) as connection:
        came, code = error_code(connection)
        assert (came, code) == (request_id, "321" if b"DU000" in sent else "320")
        assert frame(connection)[0] == "49"


@pytest.mark.parametrize("version", [201, 226])
def test_undecodable_frame_after_201_is_answered_under_its_own_id(stub: Stub, version: int) -> None:
    """Binary ids, protobuf that is none and messages that are not known are answered as text is."""
    with speaking(stub.port, version) as client:
        client.until("nextValidId")
        for rest, request_id in [
            (b"", -1),
            (b"\0\0", -1),
            (struct.pack(">I", 108 + 200) + b"\x08\x1f", 31),
            (struct.pack(">I", 9999 + 200) + b"\x08\x1f", 31),
            (struct.pack(">I", 7 + 200) + b"\x08\x1f\xff", 31),
            (struct.pack(">I", 7 + 200) + b"\x08\x1f\xa8\x46\x01", 31),
            (struct.pack(">I", 2**32 - 1), -1),
        ]:
            client.connection.sendall(frame_of(rest))
            errors = named(client.until("error"), "error")
            while str(errors[-1]["code"]).startswith("21"):
                errors = named(client.until("error"), "error")
            assert (errors[-1]["reqId"], errors[-1]["code"]) == (request_id, 320), rest
        client.ask("reqCurrentTime")
        assert client.until("currentTime")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" * 64,
        b"API\0" + struct.pack(">I", 5) + b"v1..2",
        b"API\0\xff\xff\xff\xff",
        HELLO + b"\xff\xff\xff\xff",
    ],
    ids=["http", "zeros", "old-version", "absurd-offer", "absurd-frame"],
)
def test_senseless_stream_ends_the_connection_and_no_other(connect: Connect, stub: Stub, sent: bytes) -> None:
    """What has no meaning any more is not waited for; another client notices nothing."""
    other = connect()
    with raw(stub, sent) as connection:
        while frame(connection):
            pass
    assert any(entry["name"] == "undecodable" for entry in stub.entries("message_in"))
    other.reqCurrentTime()


def test_request_before_start_api_is_refused(stub: Stub) -> None:
    """Nothing is served before the client has said who it is."""
    with raw(stub, HELLO, pack(["61", "1"])) as connection:
        assert len(frame(connection)) == 2
        assert error_code(connection) == ("-1", "320")


def test_second_start_api_is_refused(stub: Stub) -> None:
    """A client cannot become another one."""
    with raw(stub, HELLO, START, pack(["71", "2", "78", ""])) as connection:
        assert error_code(connection) == ("-1", "320")
    wait_until(lambda: stub.entries("connection_closed"), "closed", evidence=stub.entries)
    assert stub.entries("connection_closed")[0]["client_id"] == 77


def test_frame_cut_by_a_disconnect_leaves_no_trace(stub: Stub) -> None:
    """Half an order is no order."""
    with raw(stub, HELLO, START, pack(["3", "1", "half"])[:-3]):
        wait_until(lambda: stub.entries("message_out"), "started")
    wait_until(lambda: stub.entries("connection_closed"), "closed", evidence=stub.entries)
    assert stub.orders() == []
