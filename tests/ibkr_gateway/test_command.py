"""The command: starting, refusing to start, and ending."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fixtures.ibkr_gateway.__main__ import main
from tests.ibkr_gateway.stub import end, free_port, start


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must be refused with exit code 2, and return its one line."""

    def line(*arguments: str) -> str:
        try:
            code: object = main(list(arguments))
        except SystemExit as usage:
            code = usage.code
        assert code == 2
        return capsys.readouterr().err.strip().splitlines()[-1]

    return line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "4001"], "live IB Gateway"),
        (["--port", "7496"], "live Trader Workstation"),
        (["--control", "7496"], "live Trader Workstation"),
        (["--account", "U1234567"], "paper account"),
        (["--account", "DU12;DROP"], "paper account"),
        (["--host", "192.0.2.1"], "loopback"),
        (["--clock", "1980-01-01"], "expected a clock"),
        (["--clock", "soon"], "--clock"),
        (["--port", "99999"], "port"),
        (["--stocks", "AAPL,nonsense"], "symbols of stocks"),
        (["--stocks", ""], "symbols of stocks"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else None,
)
def test_unsafe_or_senseless_start_is_refused(
    refused: Callable[..., str], new_ledger: Path, arguments: list[str], said: str
) -> None:
    """Live ports, live accounts, public addresses and impossible dates: one line and exit code 2."""
    assert said in refused("--ledger", str(new_ledger), *arguments)


@pytest.mark.parametrize("which", ["--port", "--control"])
def test_port_in_use_is_refused(refused: Callable[..., str], new_ledger: Path, which: str) -> None:
    """The line names the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"--port": str(free_port()), "--control": str(free_port()), which: port}
        arguments = [part for pair in ports.items() for part in pair]
        line = refused("--ledger", str(new_ledger), *arguments)
    assert f"127.0.0.1:{port}" in line


def test_ledger_that_cannot_be_written_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    """The line names the file."""
    missing = tmp_path / "no" / "folder" / "ledger.jsonl"
    assert str(missing) in refused("--ledger", str(missing), "--port", "0", "--control", "0")


@pytest.mark.parametrize(
    "content", ["no json\n", "[]\n", '{"seq":1}\n', '{"seq":1,"kind":"order_received","perm_id":1}\n', "\0"], ids=str
)
def test_file_that_is_no_ledger_is_refused(refused: Callable[..., str], new_ledger: Path, content: str) -> None:
    """Nothing is appended to a file that is no ledger."""
    new_ledger.write_text(content)
    line = refused("--ledger", str(new_ledger), "--port", str(free_port()), "--control", str(free_port()))
    assert "name another file" in line
    assert new_ledger.read_text() == content


def test_refusal_is_one_line_and_exit_code_2(new_ledger: Path) -> None:
    """As a person at the terminal sees it."""
    command = [sys.executable, "-m", "fixtures.ibkr_gateway", "--port", "4001", "--ledger", str(new_ledger)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_gateway_ends_at_once_with_clients_connected(new_ledger: Path) -> None:
    """SIGTERM ends it cleanly at once, with clients connected to both ports; the limit is for a busy machine."""
    stub = start(new_ledger)
    with socket.create_connection(("127.0.0.1", stub.port)), httpx.Client(base_url=stub.control.base_url) as other:
        other.get("/health")
        began = time.monotonic()
        stub.process.send_signal(signal.SIGTERM)
        assert stub.process.wait(timeout=5) == 0
        assert time.monotonic() - began < 2
    end(stub)


def test_ledger_file_holds_what_the_control_port_tells(new_ledger: Path) -> None:
    """Each entry is a line of the file as soon as it is there, and a reset takes nothing away."""
    stub = start(new_ledger)
    try:
        with socket.create_connection(("127.0.0.1", stub.port)) as connection:
            connection.sendall(b"API\0\0\0\0\x09v157..176")
            assert connection.recv(4)
            told = stub.entries()
            lines = [json.loads(line) for line in new_ledger.read_text().splitlines()]
            assert lines[: len(told)] == told
        stub.reset()
        kept = [json.loads(line) for line in new_ledger.read_text().splitlines()]
        assert kept[: len(told)] == told
        assert "reset" in [line["kind"] for line in kept]
        assert all(line["kind"] != "reset" for line in stub.entries())
    finally:
        end(stub)
