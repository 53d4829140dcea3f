"""Gateways and clients for the tests: one gateway for the folder, clean before each test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ibkr_gateway.stub import CLOCK, Stub, end, ib_insync, start


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    """A gateway that lives as long as the tests."""
    stub = start(tmp_path_factory.mktemp("gateway") / "ledger.jsonl", "--clock", CLOCK)
    yield stub
    end(stub)


@pytest.fixture
def stub(running: Stub) -> Stub:
    """The gateway in a clean state."""
    running.reset()
    return running


async def _transports_closed() -> None:
    """Let the loop do what closing a transport leaves for its next rounds."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop in which the clients of a test live."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield made
    made.run_until_complete(_transports_closed())
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def connect(stub: Stub, loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Any]]:
    """Connect an ib_insync client with a client id; it is disconnected after the test."""
    clients: list[Any] = []

    def connected(client_id: int = 1, port: int = stub.port) -> Any:
        client = ib_insync().IB()
        clients.append(client)
        client.connect("127.0.0.1", port, clientId=client_id, timeout=5)
        return client

    yield connected
    for client in clients:
        client.disconnect()


@pytest.fixture
def new_ledger(tmp_path: Path) -> Path:
    """A ledger file that does not exist yet."""
    return tmp_path / "ledger.jsonl"
