"""Sessions that real client libraries had with the gateway: each request is answered as it was then."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from tests.ibkr_gateway.recorded_session import (
    GREETING,
    Answers,
    Connection,
    Frames,
    RecordedSession,
    pack_payload,
    read_sessions,
    recorded_libraries,
)
from tests.ibkr_gateway.stub import Stub, wait_until

_ANSWER_S = 10.0
_READ_BYTES = 65536
CANNOT_READ = " 320"
SESSIONS = [
    pytest.param(session, id=f"{library}-{session.operation}")
    for library in recorded_libraries()
    for session in read_sessions(library)
]


@pytest.mark.parametrize("session", SESSIONS)
def test_recorded_session_is_answered_as_before(session: RecordedSession, stub: Stub) -> None:
    """Every answer comes under its request's own id, and no request is refused as unreadable."""
    for number, connection in enumerate(session.connections):
        wait_until(lambda: len(stub.entries("connection_closed")) >= number, "the end of the one before")  # noqa: B023
        expected = {name for step in connection.steps for name in step.expect}
        came = _replay(connection, stub.port)
        refused = {name for name in came if name.startswith("error ") and name.endswith(CANNOT_READ)}
        assert refused <= expected, f"expected no error 320, came {sorted(refused)}"


def test_sessions_of_every_kind_of_client_are_there() -> None:
    """The replay is of many libraries; a folder that was emptied would prove nothing."""
    assert len(recorded_libraries()) >= 5
    assert len(SESSIONS) > 80


def _replay(connection: Connection, port: int) -> set[str]:
    """Send what was sent, each step once the one before is answered, and return what came."""
    came: set[str] = set()
    expected: set[str] = set()
    frames, answers = Frames(), Answers()
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), _ANSWER_S)) as client:
        client.sendall(GREETING)
        for step in connection.steps:
            client.sendall(b"".join(map(pack_payload, step.send)))
            expected |= set(step.expect)
            ends_s = time.monotonic() + _ANSWER_S
            while missing := expected - came:
                client.settimeout(max(0.001, ends_s - time.monotonic()))
                try:
                    data = client.recv(_READ_BYTES)
                except TimeoutError:
                    pytest.fail(f"expected {sorted(missing)} in answer to {step.send}, came {sorted(came)}")
                assert data, f"the gateway ended the connection before {sorted(missing)}; it was sent {step.send}"
                came.update(map(answers.name, frames.feed(data)))
        assert answers.version == connection.version
    return came
