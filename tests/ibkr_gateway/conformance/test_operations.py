"""Every operation with every client library, unmodified: the matrix of docs/gateway-stub.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.ibkr_gateway.conformance.client import Client
from tests.ibkr_gateway.conformance.expected_failures import EXPECTED_FAILURES, expected_failure
from tests.ibkr_gateway.conformance.libraries import LIBRARIES
from tests.ibkr_gateway.conformance.operations import OPERATIONS, Operation
from tests.ibkr_gateway.conformance.records import Records
from tests.ibkr_gateway.recording_proxy import RecordingProxy
from tests.ibkr_gateway.stub import Stub

# Versions from 157 to 226, text and protobuf. The sessions of all others are replayed by test_recorded_sessions.py.
ALWAYS = ("ib_insync", "ib_async", "ibapi", "ibapi_latest")
PAGE = Path(__file__).parents[3] / "docs" / "gateway-stub.md"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold each library to each operation, in the long variant also those that take minutes to build."""
    if "operation" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        libraries = LIBRARIES if thorough else ALWAYS
        cases = [_case(library, operation, runs=thorough) for library in libraries for operation in OPERATIONS]
        metafunc.parametrize(("library", "operation"), cases)


def _case(library: str, operation: Operation, *, runs: bool) -> ParameterSet:
    reason = expected_failure(operation.name, library)
    marks = [pytest.mark.xfail(reason=reason, run=runs)] if reason else []
    return pytest.param(library, operation, marks=marks, id=f"{library}-{operation.name}")


@pytest.fixture(scope="module")
def records(request: pytest.FixtureRequest) -> Iterator[Records | None]:
    """Where it is collected what works, if that is to be written down."""
    made = Records() if request.config.getoption("--record-clients") else None
    yield made
    if made is not None:
        made.write(PAGE)


@pytest.fixture(scope="module")
def proxy(running: Stub, records: Records | None) -> Iterator[RecordingProxy | None]:
    """What the clients connect through, if their sessions are to be written down."""
    made = None if records is None else RecordingProxy(running.port)
    yield made
    if made is not None:
        made.close()


@pytest.fixture
def stub(running: Stub, proxy: RecordingProxy | None) -> Stub:
    """The gateway in a clean state."""
    running.reset()
    if proxy is None:
        return running
    proxy.take()
    return replace(running, port=proxy.port)


def test_operation_comes_out_as_at_the_real_gateway(
    client: Client,
    library: str,
    operation: Operation,
    stub: Stub,
    records: Records | None,
    proxy: RecordingProxy | None,
) -> None:
    """What the library tells its caller, and what the ledger holds, is what the real gateway would have made of it."""
    operation.do(client, stub)
    if records is not None and proxy is not None:
        records.note(library, operation.name, client.server_version, proxy.take())


def test_expected_failures_name_operations_that_there_are() -> None:
    """A reason that belongs to no operation would hide nothing, and look as if it did."""
    assert set(EXPECTED_FAILURES) <= {operation.name for operation in OPERATIONS}
