"""Real parts for the tests: processes of their own, on ports of their own, ended with the test session."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

POLL_S = 0.05
_END_S = 30.0


def wait_until(holds: Callable[[], object], what: str, *, deadline_s: float = 10.0) -> None:
    """Return as soon as a condition holds; fail when the deadline has passed."""
    ends_s = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < ends_s, f"{what}: not within {deadline_s} s"
        time.sleep(POLL_S)


def free_port() -> int:
    """Find a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether an address answers with a success now."""
    try:
        return httpx.get(url, timeout=1, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@dataclass(frozen=True, slots=True)
class Process:
    """A process that writes to a file.

    Args:
        popen: the process.
        log: what it wrote.
    """

    popen: subprocess.Popen[bytes]
    log: Path

    def require(self, holds: Callable[[], object], what: str, *, deadline_s: float = 20.0) -> None:
        """Wait for a condition; fail with what the process wrote."""

        def alive_and_holds() -> object:
            assert self.popen.poll() is None, f"{what}: the process ended: {self.log.read_text()[-2000:]}"
            return holds()

        wait_until(alive_and_holds, what, deadline_s=deadline_s)

    def kill(self) -> None:
        """End the process and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(_END_S)


@contextlib.contextmanager
def running(arguments: list[str], log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Run a Python module for as long as the block lasts.

    Args:
        arguments: after the interpreter's name.
        log: where it writes.
        environment: added to ours.
    """
    with log.open("wb") as output:
        popen = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    process = Process(popen, log)
    try:
        yield process
    finally:
        popen.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(_END_S)
        process.kill()


@contextlib.contextmanager
def running_backend(
    database_url: str, log: Path, environment: Mapping[str, str] | None = None, *, ready: bool = True
) -> Iterator[str]:
    """Run the artifacts API for as long as the block lasts.

    Args:
        database_url: its database.
        log: where it writes.
        environment: further settings.
        ready: whether to wait until it can store artifacts; else only until it lives.

    Yields:
        Its address.
    """
    port = free_port()
    arguments = ["-m", "uvicorn", "trading.backend.app:create_app", "--factory", "--host", "127.0.0.1"]
    arguments += ["--port", str(port), "--log-level", "warning"]
    with running(arguments, log, {"DATABASE_URL": database_url, **(environment or {})}) as process:
        url = f"http://127.0.0.1:{port}"
        path = "/health/ready" if ready else "/health/live"
        process.require(lambda: answers(url + path), f"the backend's {path}")
        yield url


@contextlib.contextmanager
def running_gateway(folder: Path) -> Iterator[tuple[int, str]]:
    """Run the gateway stub for as long as the block lasts.

    Args:
        folder: for its ledger and its log.

    Yields:
        Its port, and the address of its control port.
    """
    port, control = free_port(), free_port()
    arguments = ["-m", "fixtures.ibkr_gateway", "--port", str(port), "--control", str(control)]
    arguments += ["--ledger", str(folder / "ledger.jsonl")]
    with running(arguments, folder / "gateway.log") as process:
        url = f"http://127.0.0.1:{control}"
        process.require(lambda: answers(f"{url}/health"), "the gateway stub's health")
        yield port, url
