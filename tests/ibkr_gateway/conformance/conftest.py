"""The three client libraries, each in a process that lives as long as the tests and connects anew for each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.drivers.terms import Session
from tests.ibkr_gateway.conformance.environments import environment, lock_of
from tests.ibkr_gateway.conformance.process import DriverProcess
from tests.ibkr_gateway.stub import Stub, wait_until

LIBRARIES = ("ib_insync", "ib_async", "ibapi")


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Client]]:
    """A driver for each library, not connected."""
    logs = tmp_path_factory.mktemp("drivers")
    pythons = {library: environment(library, lock_of(library)) for library in LIBRARIES}
    with contextlib.ExitStack() as stack:
        # All at once: the imports take longest, and none waits for another's.
        started = {
            library: Client(library, DriverProcess(library, python, logs / f"{library}.log"))
            for library, python in pythons.items()
        }
        for client in started.values():
            stack.callback(client.end)
        yield started


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """The library under test."""
    name: str = request.param
    return name


@pytest.fixture
def client(clients: Mapping[str, Client], library: str, stub: Stub) -> Iterator[Client]:
    """The library under test, connected to a clean gateway as client 1."""
    yield from _understanding(clients[library], stub, 1)


@pytest.fixture
def another(clients: Mapping[str, Client], library: str) -> Iterator[Client]:
    """Another library than the one under test, not connected."""
    after = LIBRARIES[(LIBRARIES.index(library) + 1) % len(LIBRARIES)]
    yield clients[after]
    clients[after].disconnect()


@pytest.fixture
def other(another: Client, stub: Stub) -> Iterator[Client]:
    """Another library than the one under test, connected as client 2."""
    yield from _understanding(another, stub, 2)


@pytest.fixture
def reconnect(stub: Stub) -> Callable[[Client, int], Session]:
    """Disconnect client 1, and connect it as the client given."""

    def reconnected(client: Client, client_id: int) -> Session:
        def has_left() -> bool:
            return any(entry["client_id"] == 1 for entry in stub.entries("connection_closed"))

        client.disconnect()
        # The official library closes its socket while a thread reads from it, which lasts until that reads no more.
        wait_until(has_left, "the end of the first connection", evidence=stub.entries)
        return client.connect(stub.port, client_id)

    return reconnected


def _understanding(client: Client, stub: Stub, client_id: int) -> Iterator[Client]:
    """Yield a client, and fail if it was sent anything that it could not make sense of."""
    client.connect(stub.port, client_id)
    yield client
    client.disconnect()
    assert client.complaints() == []
