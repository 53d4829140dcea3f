"""A notification sink as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

_REPOSITORY = Path(__file__).parents[2]
_DEADLINE_S = 20.0


@pytest.fixture(scope="session")
def _served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.notification_sink", "--port", str(port)],
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + _DEADLINE_S
        while True:
            try:
                httpx.get(f"{address}/health", timeout=2).raise_for_status()
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    pytest.fail(f"the sink was never ready: {process.communicate()[0]}")
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        code = process.wait(timeout=5)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0


@pytest.fixture
def sink(_served: str) -> Iterator[httpx.Client]:
    """A client of an empty sink."""
    with httpx.Client(base_url=_served, timeout=10) as client:
        client.post("/reset").raise_for_status()
        yield client
