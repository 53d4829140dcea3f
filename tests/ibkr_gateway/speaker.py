"""A client that speaks every server version, bare: requests are written and replies read by the gateway's own layouts."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from fixtures.ibkr_gateway.protocol import protobuf_table
from fixtures.ibkr_gateway.protocol.catalogue import REPLIES, REQUESTS
from fixtures.ibkr_gateway.protocol.framing import GREETING, frame, join, unpack
from fixtures.ibkr_gateway.protocol.layout import Layout, Message, decode, encode
from fixtures.ibkr_gateway.protocol.protobuf import form
from fixtures.ibkr_gateway.protocol.protobuf_table import FIRST_VERSION, PROTOBUF_ID
from fixtures.ibkr_gateway.protocol.wire import Value, Values

_REPLIES = {layout.message_id: layout for layout in REPLIES}
_REQUESTS = {layout.name: layout for layout in REQUESTS.values()}
_CLIENT_IDS = count(5000)
_WAIT_S = 10.0


def payload_of(message: Message, version: int) -> bytes:
    """Write a request as a client of that version does."""
    fields, message_id = encode(message, version), message.layout.message_id
    if version < FIRST_VERSION:
        return join(fields)
    if _is_protobuf(protobuf_table.REQUESTS, message_id, version):
        written = form(message.layout, protobuf_table.REQUESTS[message_id][0], version).encode(message.values)
        return struct.pack(">I", message_id + PROTOBUF_ID) + written
    return struct.pack(">I", message_id) + (join(fields[1:]) if fields[1:] else b"")


def message_of(payload: bytes, version: int) -> tuple[Message, bool]:
    """Read a reply, and say whether it was protobuf."""
    if version < FIRST_VERSION:
        fields = unpack(payload)
        return decode(_REPLIES[int(fields[0])], fields, version), False
    (message_id,) = struct.unpack_from(">I", payload)
    if message_id > PROTOBUF_ID:
        known = _REPLIES[message_id - PROTOBUF_ID]
        return form(known, protobuf_table.REPLIES[known.message_id][0], version).decode(payload[4:]), True
    fields = [str(message_id), *(unpack(payload[4:]) if payload[4:] else ())]
    return decode(_REPLIES[message_id], fields, version), False


@dataclass(slots=True)
class Speaker:
    """A connection that has started.

    Args:
        connection: its socket.
        version: the server version that was announced.
    """

    connection: socket.socket
    version: int

    def ask(self, name: str, **values: Value) -> None:
        """Send a request."""
        self.connection.sendall(frame(payload_of(Message(_REQUESTS[name], values), self.version)))

    def until(self, name: str) -> list[Message]:
        """Return the replies up to the first one of a name, and fail if one came in the wrong form."""
        came: list[Message] = []
        while not came or came[-1].layout.name != name:
            message, is_protobuf = message_of(self.receive(), self.version)
            wanted = _is_protobuf(protobuf_table.REPLIES, message.layout.message_id, self.version)
            assert is_protobuf is wanted, f"{message.layout.name} at {self.version}"
            came.append(message)
        return came

    def receive(self) -> bytes:
        """Return the payload of the next frame."""
        (size_bytes,) = struct.unpack(">I", self.connection.recv(4, socket.MSG_WAITALL))
        return self.connection.recv(size_bytes, socket.MSG_WAITALL)


@contextmanager
def speaking(port: int, version: int) -> Iterator[Speaker]:
    """Connect, and start the API at one version."""
    with socket.create_connection(("127.0.0.1", port), timeout=_WAIT_S) as connection:
        connection.sendall(GREETING + frame(f"v{version}..{version}".encode()))
        speaker = Speaker(connection, version)
        assert unpack(speaker.receive())[0] == str(version)
        speaker.ask("startApi", clientId=next(_CLIENT_IDS))
        yield speaker


def named(messages: list[Message], name: str) -> list[Values]:
    """Return the values of the messages of one name."""
    return [message.values for message in messages if message.layout.name == name]


def _is_protobuf(table: Mapping[int, tuple[str, int]], message_id: int, version: int) -> bool:
    return message_id in table and table[message_id][1] <= version


def layout_named(name: str) -> Layout:
    """Return the layout of a request."""
    return _REQUESTS[name]
