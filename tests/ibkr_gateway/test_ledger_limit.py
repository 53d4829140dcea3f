"""A ledger that has come to its limit says so, and goes on with what matters."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.ibkr_gateway.ledger import Ledger
from tests.ibkr_gateway.stub import Stub, end, start, wait_until

LIMIT_BYTES = 2000
MESSAGES_BEYOND = 40
MESSAGE: dict[str, Any] = {
    "connection": 1,
    "client_id": 1,
    "message_id": 4,
    "name": "error",
    "fields": ["4", "2", "x" * 50],
}
ORDER: dict[str, Any] = {"perm_id": 1, "order_ref": "one", "quantity": "10"}


@pytest.fixture
def ledger(new_ledger: Path) -> Iterator[Ledger]:
    """A ledger with room for a few entries."""
    made = Ledger(new_ledger, LIMIT_BYTES)
    yield made
    made.close()


def entries(path: Path) -> list[dict[str, Any]]:
    """Return what the file holds."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_limit_is_told_once(ledger: Ledger, new_ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In an entry of its own and in one line on stderr, as soon as the file has come to it."""
    for _ in range(MESSAGES_BEYOND):
        ledger.write("message_out", MESSAGE)
    kinds = [entry["kind"] for entry in entries(new_ledger)]
    assert kinds.count("ledger_limit") == 1
    place = kinds.index("ledger_limit")
    size_bytes = sum(len(line) + 1 for line in new_ledger.read_text().splitlines()[:place])
    assert LIMIT_BYTES <= size_bytes < LIMIT_BYTES + 300
    (line,) = capsys.readouterr().err.splitlines()
    assert "limit of 2000 bytes: messages are recorded by name and size only" in line


def test_beyond_the_limit_messages_are_short_and_orders_whole(ledger: Ledger, new_ledger: Path) -> None:
    """A message keeps its name and tells its size; an order keeps every field, and numbers go on."""
    for _ in range(MESSAGES_BEYOND):
        ledger.write("message_out", MESSAGE)
    ledger.write("order_received", ORDER)
    message, order = entries(new_ledger)[-2:]
    assert (message["name"], message["size_bytes"], "fields" in message) == ("error", 55, False)
    assert {name: order[name] for name in ORDER} == ORDER
    assert [entry["seq"] for entry in ledger.since(0)] == list(range(1, ledger.last_seq + 1))


@pytest.mark.parametrize("size", ["0", "-1", "much"])
def test_limit_that_makes_no_sense_is_refused(size: str, new_ledger: Path) -> None:
    """One line and exit code 2."""
    with pytest.raises(AssertionError, match="--ledger-limit-mib"):
        end(start(new_ledger, "--ledger-limit-mib", size))


def test_bytes_that_make_no_sense_take_little_room(stub: Stub) -> None:
    """Of a message that cannot be read the ledger keeps its size and its beginning, however long it is."""
    nonsense = b"\x01" * 50_000 + b"\0" * 50_000
    before = stub.ledger_file.stat().st_size
    with socket.create_connection(("127.0.0.1", stub.port)) as connection:
        connection.sendall(b"API\0" + framed(b"v157..176"))
        connection.sendall(framed(nonsense))
        wait_until(lambda: undecodable(stub), "recorded", evidence=stub.entries)
    (entry,) = undecodable(stub)
    assert entry["size_bytes"] == len(nonsense)
    assert stub.ledger_file.stat().st_size - before < 5000


def undecodable(stub: Stub) -> list[dict[str, Any]]:
    """Return the ledger's entries of what could not be read."""
    return [entry for entry in stub.entries("message_in") if entry["name"] == "undecodable"]


def framed(payload: bytes) -> bytes:
    """Put a payload into a frame."""
    return len(payload).to_bytes(4) + payload
