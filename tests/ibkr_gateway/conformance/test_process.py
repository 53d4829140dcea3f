"""What a test is told when a driver fails it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ibkr_gateway.conformance.driver_command import driver_command, python_driver
from tests.ibkr_gateway.conformance.process import CallFailed, DriverFailed, DriverProcess


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[DriverProcess]:
    """The driver of the official library, connected to nothing."""
    process = DriverProcess("ibapi", driver_command("ibapi"), tmp_path / "log")
    yield process
    process.end()


def test_silence_ends_at_the_deadline_with_what_was_said(driver: DriverProcess) -> None:
    """The error holds the last answer, and an answer that comes too late is not taken for another command's."""
    assert driver.ask("is_connected", {}, deadline_s=10) is False
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to_silence = {"port": silent.getsockname()[1], "client_id": 1, "timeout_s": 0.5}
        with pytest.raises(DriverFailed, match=r'no answer to connect within 0.1 s; it last said .*"result": false'):
            driver.ask("connect", to_silence, deadline_s=0.1)
        assert driver.ask("faults", {}, deadline_s=10) == []


@pytest.mark.parametrize(
    ("command", "said"), [("_begin", "ValueError: there is no command"), ("current_time", "AttributeError")]
)
def test_failure_of_a_command_is_an_answer(driver: DriverProcess, command: str, said: str) -> None:
    """What is raised in the driver is raised in the test, and the driver goes on."""
    with pytest.raises(CallFailed, match=said):
        driver.ask(command, {}, deadline_s=10)
    assert driver.ask("is_connected", {}, deadline_s=10) is False


def test_end_of_a_driver_is_told_with_its_log(tmp_path: Path) -> None:
    """A driver that cannot even start says why."""
    process = DriverProcess("unknown", python_driver(Path(sys.executable), "unknown"), tmp_path / "log")
    with pytest.raises(DriverFailed, match=r"ended before it answered(?s:.*)No module named drivers.client_unknown"):
        process.ask("is_connected", {}, deadline_s=10)
    with pytest.raises(AssertionError, match="ended with code 1"):
        process.end()
