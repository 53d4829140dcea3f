"""Sessions that real client libraries had with the gateway, damaged on their way: what a fault of a client looks like.

A stream is made from a seed and its number alone, so that any of twenty thousand can be made again by itself.
"""

from __future__ import annotations

import random
import struct
from functools import cache

from tests.ibkr_gateway.damage import BYTE_DAMAGE, FIELD_DAMAGE, FRAME_DAMAGE
from tests.ibkr_gateway.damaged_streams import FIRST_CLIENT_ID, Stream, cut_anywhere
from tests.ibkr_gateway.recorded_session import GREETING, Connection, read_sessions

# Text of three versions, a library in JavaScript, and protobuf from Python and from Rust.
LIBRARIES = ("ib_async", "ibapi", "stoqey_ib", "ibapi_latest", "rust_ibapi_5")
_START_API = 71
_PROTOBUF_ID = 200
_FIRST_BINARY_VERSION = 201
_ID = struct.Struct(">I")
_LENGTH = struct.Struct(">I")


def mutated_stream(seed: int, number: int) -> Stream:
    """Make a stream: one in ten is an undamaged session, the others are damaged ones."""
    choice = random.Random(f"{seed}:{number}")  # noqa: S311 - a reproducible schedule, not secrets
    library = LIBRARIES[number % len(LIBRARIES)]
    connection = choice.choice(_connections(library))
    offer, *payloads = [payload.encode("latin-1") for step in connection.steps for payload in step.send]
    payloads = [_as_client(payload, connection.version, FIRST_CLIENT_ID + number) for payload in payloads]
    level = choice.choice(("none", *("fields", "frames", "bytes") * 3))
    times = choice.choice((1, 1, 2, 5))
    if level == "fields":
        for _ in range(times):
            place = choice.randrange(len(payloads))
            payloads[place] = _with_damaged_field(choice, payloads[place], connection.version)
    frames = [GREETING + _framed(offer), *map(_framed, payloads)]
    if level == "frames":
        for _ in range(times):
            choice.choice(FRAME_DAMAGE)(choice, frames)
    sent = bytearray(b"".join(frames))
    if level == "bytes":
        for _ in range(times):
            choice.choice(BYTE_DAMAGE)(choice, sent)
    ending = choice.choices(("eof", "reset", "stay"), (90, 8, 2))[0]
    return Stream(f"session {number} of seed {seed}, {library}, {level}", cut_anywhere(choice, bytes(sent)), ending)


@cache
def _connections(library: str) -> list[Connection]:
    return [connection for session in read_sessions(library) for connection in session.connections]


def _framed(payload: bytes) -> bytes:
    return _LENGTH.pack(len(payload)) + payload


def _as_client(payload: bytes, version: int, client_id: int) -> bytes:
    """Put another client id in startApi, so that no stream meets the id of another one."""
    if version < _FIRST_BINARY_VERSION:
        message_id, _, rest = payload.partition(b"\0")
        return _with_text_id(payload[: len(message_id) + 1], rest, client_id) if message_id == b"71" else payload
    (message_id,) = _ID.unpack_from(payload)
    if message_id == _START_API:
        return _with_text_id(payload[: _ID.size], payload[_ID.size :], client_id)
    if message_id == _START_API + _PROTOBUF_ID:
        return payload[: _ID.size] + b"\x08" + _varint(client_id)
    return payload


def _with_text_id(head: bytes, rest: bytes, client_id: int) -> bytes:
    version, _, *more = rest.split(b"\0")
    return head + b"\0".join([version, str(client_id).encode(), *more])


def _varint(number: int) -> bytes:
    """Write a number as protobuf does: seven bits a byte, the lowest first."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _with_damaged_field(choice: random.Random, payload: bytes, version: int) -> bytes:
    """Damage a field of a text message, or the bytes of a protobuf message behind its id."""
    head = _ID.size if version >= _FIRST_BINARY_VERSION else 0
    if head and _ID.unpack_from(payload)[0] > _PROTOBUF_ID:
        body = bytearray(payload[head:])
        choice.choice(BYTE_DAMAGE)(choice, body)
        return payload[:head] + bytes(body)
    fields = payload[head:].decode("utf-8", errors="replace").split("\0")[:-1]
    if fields:
        choice.choice(FIELD_DAMAGE)(choice, fields)
    return payload[:head] + "\0".join([*fields, ""]).encode("utf-8", errors="replace")
