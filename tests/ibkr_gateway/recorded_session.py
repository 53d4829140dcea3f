"""Sessions of real client libraries: what each sent, frame by frame, and which kinds of messages came in answer.

A file in ``recorded/`` holds those of one library, a line for each operation of the conformance suite. They are made
anew by ``make test ARGS="tests/ibkr_gateway/conformance/test_operations.py --thorough --record-clients"``.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from fixtures.ibkr_gateway.protocol.catalogue import REPLIES
from fixtures.ibkr_gateway.protocol.framing import unpack
from fixtures.ibkr_gateway.protocol.layout import decode
from fixtures.ibkr_gateway.protocol.wire import Undecodable

FOLDER = Path(__file__).with_name("recorded")
GREETING = b"API\0"
# From here on a message begins with its id in four bytes, and most of it is protobuf.
_FIRST_BINARY_VERSION = 201
_LENGTH = struct.Struct(">I")
_LAYOUTS = {layout.message_id: layout for layout in REPLIES}


class Step(BaseModel):
    """Frames that a client sent one after the other, and what came before it sent the next one.

    Args:
        send: the frames' payloads; each character is a byte.
        expect: names of the messages that came, each with what makes it an answer to that request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    send: tuple[str, ...]
    expect: tuple[str, ...]


class Connection(BaseModel):
    """One connection from its greeting to its end.

    Args:
        version: the server version that was negotiated.
        steps: what happened; the first frame that is sent is the offer of versions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    steps: tuple[Step, ...]


class RecordedSession(BaseModel):
    """What a library did in one operation.

    Args:
        library: the library.
        operation: the operation's name.
        connections: one after the other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    library: str
    operation: str
    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that were seen on their way.

    Args:
        is_sent: whether the client sent them, or the gateway.
        data: the bytes.
    """

    is_sent: bool
    data: bytes


class Frames:
    """Cuts bytes into the payloads of frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes, and yield each payload that is whole."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            yield bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]


class Answers:
    """Names the messages of one connection, in the order in which they come."""

    def __init__(self) -> None:
        self.version = 0
        self._ends: Counter[str] = Counter()

    def name(self, payload: bytes) -> str:
        """Return what a message is, and which request it answers; the first one is the handshake."""
        if not self.version:
            self.version = int(payload.split(b"\0")[0])
            return "handshake"
        name = self._named(payload)
        if name.endswith("End") or name == "currentTime":
            # Nothing in it tells the answer to one request from that to the next.
            self._ends[name] += 1
            return f"{name} {self._ends[name]}"
        return name

    def _named(self, payload: bytes) -> str:
        if self.version >= _FIRST_BINARY_VERSION:
            return f"message {int.from_bytes(payload[:4], 'big')}"
        fields = unpack(payload)
        layout = _LAYOUTS[int(fields[0])]
        try:
            values = decode(layout, fields, self.version).values
        except Undecodable:
            # A fault may have made nonsense of it.
            return layout.name
        told = [values[name] for name in ("reqId", "orderId", "id", "errorCode", "code", "status") if name in values]
        return " ".join([layout.name, *map(str, told)])


def connection_of(chunks: Iterable[Chunk]) -> Connection:
    """Put together what was seen on one connection."""
    sent, came, answers = Frames(), Frames(), Answers()
    steps: list[tuple[list[str], list[str]]] = []
    is_greeted = False
    for chunk in chunks:
        if not chunk.is_sent:
            for payload in came.feed(chunk.data):
                steps[-1][1].append(answers.name(payload))
            continue
        data = chunk.data if is_greeted else chunk.data.removeprefix(GREETING)
        is_greeted = True
        for payload in sent.feed(data):
            if not steps or steps[-1][1]:
                steps.append(([], []))
            steps[-1][0].append(payload.decode("latin-1"))
    made = [Step(send=tuple(send), expect=tuple(dict.fromkeys(expect))) for send, expect in steps]
    return Connection(version=answers.version, steps=tuple(made))


def pack_payload(payload: str) -> bytes:
    """Make the frame of a recorded payload."""
    data = payload.encode("latin-1")
    return _LENGTH.pack(len(data)) + data


def write_sessions(library: str, sessions: Iterable[RecordedSession], folder: Path = FOLDER) -> None:
    """Write the file of a library."""
    lines = [json.dumps(session.model_dump(), separators=(",", ":")) + "\n" for session in sessions]
    (folder / f"{library}.jsonl").write_text("".join(lines), encoding="utf-8")


def recorded_libraries(folder: Path = FOLDER) -> list[str]:
    """Return the libraries of which there are sessions."""
    return sorted(file.stem for file in folder.glob("*.jsonl"))


def read_sessions(library: str, folder: Path = FOLDER) -> list[RecordedSession]:
    """Read the file of a library."""
    text = (folder / f"{library}.jsonl").read_text(encoding="utf-8")
    return [RecordedSession.model_validate_json(line) for line in text.splitlines()]
