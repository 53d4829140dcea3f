"""A running gateway stub, as the tests use it."""

from __future__ import annotations

import asyncio
import importlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

POLL_S = 0.05
RECEIVE_S = 0.01
# Many times what it takes on a machine that does nothing else.
READY_S = 60.0
CLOCK = "2026-11-20"
ACCOUNT = "DU7654321"


def wait_until(
    holds: Callable[[], object], what: str, deadline_s: float = 5.0, evidence: Callable[[], object] = str
) -> None:
    """Return as soon as a condition holds; fail with the evidence when the deadline has passed."""
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {deadline_s} s; {evidence()}"
        threading.Event().wait(POLL_S)


def receive_until(
    client: Any,
    holds: Callable[[], object],
    what: str,
    deadline_s: float = 5.0,
    evidence: Callable[[], object] = str,
) -> None:
    """Let a client receive until a condition holds; fail as ``wait_until`` does."""
    wait_until(lambda: client.sleep(RECEIVE_S) and holds(), what, deadline_s, evidence)


def ib_insync() -> Any:
    """Return the client library; no module imports it at its top, because it needs an event loop to be imported."""
    return importlib.import_module("ib_insync")


def notice_loss(client: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Let a client find out that its connection is gone; its own sleep would raise then."""

    def has_noticed() -> bool:
        loop.run_until_complete(asyncio.sleep(0))
        return not client.isConnected()

    wait_until(has_noticed, "the client notices that its connection is lost")


def free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Stub:
    """One gateway in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    control: httpx.Client
    ledger_file: Path

    def reset(self) -> None:
        """Bring it back to a clean state; some faults survive a reset."""
        self.control.delete("/faults").raise_for_status()
        self.control.post("/reset").raise_for_status()

    def entries(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the ledger's entries since the last reset, perhaps of one kind only."""
        found = self.control.get("/ledger").raise_for_status().json()["entries"]
        return [entry for entry in found if kind in {None, entry["kind"]}]

    def orders(self) -> list[dict[str, Any]]:
        """Return every order as it stands."""
        orders: list[dict[str, Any]] = self.control.get("/orders").raise_for_status().json()["orders"]
        return orders

    def fill_after(self, delay_s: float) -> None:
        """Set how long an order waits for its fill."""
        self.control.patch("/behaviour", json={"fill_delay_s": delay_s}).raise_for_status()


def start(ledger_file: Path, *more: str) -> Stub:
    """Start a gateway, and return it once it answers; the caller ends it."""
    port, control_port = free_port(), free_port()
    command = [sys.executable, "-m", "fixtures.ibkr_gateway", "--port", str(port), "--control", str(control_port)]
    command += ["--ledger", str(ledger_file), "--account", ACCOUNT, *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    control = httpx.Client(base_url=f"http://127.0.0.1:{control_port}", trust_env=False)

    def answers() -> bool:
        assert process.poll() is None, f"the gateway ended: {process.communicate()[0]}"
        try:
            return control.get("/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the gateway is ready", READY_S)
    except BaseException:
        process.kill()
        process.wait()
        control.close()
        raise
    return Stub(process, port, control, ledger_file)


def end(stub: Stub) -> None:
    """End a gateway, and fail if it does not go by itself."""
    stub.control.close()
    if stub.process.poll() is None:
        stub.process.terminate()
    output, _ = stub.process.communicate(timeout=READY_S)
    assert "Traceback" not in output, output
