"""A stand-in that speaks HTTP, as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_REPOSITORY = Path(__file__).parents[1]
_DEADLINE_S = 20.0
_POLL_S = 0.05


@contextmanager
def served(package: str, **variables: str) -> Iterator[str]:
    """Run a stand-in and give its address; it has to end in order when the block does.

    Args:
        package: what is run with ``python -m``.
        variables: further variables of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", package, "--port", str(port)],
        cwd=_REPOSITORY,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _require_ready(process, address)
        yield address
    finally:
        process.terminate()
        code = process.wait(timeout=5)
        if process.stdout is not None:
            process.stdout.close()
    assert code == 0


def _require_ready(process: subprocess.Popen[str], address: str) -> None:
    gives_up_at_s = time.monotonic() + _DEADLINE_S
    while True:
        try:
            httpx.get(f"{address}/health", timeout=2).raise_for_status()
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > gives_up_at_s:
                process.kill()
                raise AssertionError(f"it was never ready: {process.communicate()[0]}") from None
            threading.Event().wait(_POLL_S)
        else:
            return
