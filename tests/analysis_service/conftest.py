"""The stand-in for the analysis service, as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

KEY = "key-of-the-tests"
_REPOSITORY = Path(__file__).parents[2]
_DEADLINE_S = 20.0


@pytest.fixture(scope="session")
def _served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.analysis_service", "--port", str(port)],
        cwd=_REPOSITORY,
        env={**os.environ, "LLM_API_KEY": KEY},
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
                    pytest.fail(f"the service was never ready: {process.communicate()[0]}")
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        code = process.wait(timeout=5)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0


@pytest.fixture
def service(_served: str) -> Iterator[httpx.Client]:
    """A client with the right key, of a service that nobody has asked yet."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=_served, headers=headers, timeout=10) as client:
        client.post("/reset").raise_for_status()
        yield client
