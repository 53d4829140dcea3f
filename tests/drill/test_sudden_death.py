"""However the harness dies, nothing of it is left."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.errors import PortsExhausted
from harness.runtime.ports import PortBlock, PortRange

SEED = 20261123
# From before the stack is up until well into a fault; the faults of these scenarios alone last for longer than that,
# so that the harness is never at its end before its moment has come.
SCENARIOS = ("backend-down", "gateway-lost", "backend-down")
_moments = random.Random(SEED)  # noqa: S311 - a schedule, no secret
MOMENTS_S = sorted(_moments.uniform(0.2, 35.0) for _ in range(10))
GONE_WITHIN_S = 5.0
POLL_S = 0.05


def session_processes(session: str) -> list[int]:
    """Every process that bears a session's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HARNESS_SESSION") == session:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def listening(ports: range) -> list[int]:
    """The ports on which somebody accepts connections."""
    found = []
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


@pytest.mark.parametrize("moment_s", MOMENTS_S, ids=lambda moment_s: f"after {moment_s:.1f} s")
def test_sigkill_leaves_nothing_behind(
    start_drill: Callable[..., subprocess.Popen[str]], home: Path, moment_s: float
) -> None:
    """A harness killed at any moment leaves no process, no port and no file."""
    block = free_block()
    harness = start_drill(*SCENARIOS, TMPDIR=str(home), HARNESS_PORTS=f"{block.start}-{block.stop - 1}")
    with suppress(subprocess.TimeoutExpired):
        harness.wait(moment_s)
        pytest.fail(f"the harness ended before its moment: {harness.communicate()[0]}")
    sessions = [path.name.removeprefix("harness-") for path in home.glob("harness-*")]
    harness.send_signal(signal.SIGKILL)
    harness.wait(GONE_WITHIN_S)
    gives_up_at_s = time.monotonic() + GONE_WITHIN_S
    while True:
        left = [pid for session in sessions for pid in session_processes(session)]
        directories = list(home.glob("harness-*"))
        if not left and not directories:
            break
        assert time.monotonic() < gives_up_at_s, f"after {GONE_WITHIN_S} s: processes {left}, directories {directories}"
    assert listening(block) == []


def free_block() -> range:
    """A block of ports that nobody uses now, so that what listens there afterwards was left behind.

    Below 32768, where Linux begins to hand out ports to clients: one of those could be taken under a server's feet.
    """
    for first in range(30000, 32700, 100):
        try:
            claimed = PortBlock.claim(PortRange(first, first + 99))
        except PortsExhausted:
            continue
        claimed.close()
        return range(first, first + 100)
    raise AssertionError("no free block of ports for the test")
