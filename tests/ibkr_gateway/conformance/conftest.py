"""The client libraries, each in a process that lives as long as the tests and connects anew for each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.driver_command import driver_command, missing_tools
from tests.ibkr_gateway.conformance.drivers.terms import Session
from tests.ibkr_gateway.conformance.libraries import LIBRARIES
from tests.ibkr_gateway.conformance.process import DriverProcess
from tests.ibkr_gateway.stub import Stub, wait_until

# The three that most trading code in Python is built on are held to every property here; the others in the long variant.
ALWAYS = ("ib_insync", "ib_async", "ibapi")
THOROUGHLY = (*ALWAYS, "ibapi_latest", "nautilus_ibapi", "stoqey_ib")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that names no operation run with each of the libraries."""
    if {"library", "operation"}.intersection(metafunc.fixturenames) == {"library"}:
        metafunc.parametrize("library", THOROUGHLY if metafunc.config.getoption("--thorough") else ALWAYS)


class Clients(Mapping[str, Client]):
    """A driver for each library, not connected; started when it is first asked for.

    Args:
        logs: the folder of what they log.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: dict[str, Client] = {}

    def __getitem__(self, library: str) -> Client:
        if missing := missing_tools(library):
            pytest.skip(f"{library} needs {', '.join(missing)}, which this machine lacks")
        if library not in self._started:
            process = DriverProcess(library, driver_command(library), self._logs / f"{library}.log")
            self._started[library] = Client(library, process)
        return self._started[library]

    def __iter__(self) -> Iterator[str]:
        return iter(LIBRARIES)

    def __len__(self) -> int:
        return len(LIBRARIES)

    def end(self) -> None:
        """End every driver."""
        with contextlib.ExitStack() as stack:
            for client in self._started.values():
                stack.callback(client.end)


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """A driver for each library, not connected."""
    started = Clients(tmp_path_factory.mktemp("drivers"))
    yield started
    started.end()


@pytest.fixture
def client(clients: Mapping[str, Client], library: str, stub: Stub) -> Iterator[Client]:
    """The library under test, connected to a clean gateway as client 1."""
    yield from _understanding(clients[library], stub, 1)


@pytest.fixture
def another(clients: Mapping[str, Client], library: str) -> Iterator[Client]:
    """Another library than the one under test, not connected."""
    after = ALWAYS[(ALWAYS.index(library) + 1) % len(ALWAYS)] if library in ALWAYS else ALWAYS[0]
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
