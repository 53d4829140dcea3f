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

import docker
import psutil
import pytest

from harness.errors import PortsExhausted
from harness.runtime.session.ports import PortBlock, PortRange

SEED = 20261123
# From before the stack is up until well into a fault; the faults of these scenarios alone last for longer than that,
# so that the harness is never at its end before its moment has come.
SCENARIOS = ("backend-down", "gateway-lost", "backend-down")
_moments = random.Random(SEED)  # noqa: S311 - a schedule, no secret
MOMENTS_S = sorted(_moments.uniform(0.2, 35.0) for _ in range(10))
MOMENTS_IN_CONTAINERS_S = sorted(_moments.uniform(0.2, 40.0) for _ in range(20))
# Of so many only one always runs: while the stack comes up, in a steady run, under a fault.
ONE_OF_LOCAL, ONE_OF_CONTAINERS = 4, 8
# What is promised, of a machine that does nothing else; `make bench` measures it. On a busy one it takes longer, and
# what counts there is that nothing stays.
PROMISED_S = 5.0
PATIENCE_S = 90.0
MEASURES = pytest.mark.alone("it holds what the harness promises of a machine that does nothing else")
LOOK_EVERY_S = 0.02

Start = Callable[..., "subprocess.Popen[str]"]
Record = Callable[[str, object], None]


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
    """The ports on which a process accepts connections."""
    found = []
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


def test_sigkill_leaves_nothing_behind(
    start_drill: Start, home: Path, moment_s: float, gone_within_s: float, record_property: Record
) -> None:
    """A harness killed at any moment leaves no process, no port and no file."""
    record_property("gone_after_s", kill_after(moment_s, start_drill, home, "local", gone_within_s))


@pytest.fixture
def gone_within_s(request: pytest.FixtureRequest) -> float:
    """How long after the end of a harness something of it may still be there."""
    return PROMISED_S if request.config.getoption("--thorough") else PATIENCE_S


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the moments: all of them take twenty minutes."""
    moments = {
        "moment_s": (MOMENTS_S, ONE_OF_LOCAL),
        "moment_in_containers_s": (MOMENTS_IN_CONTAINERS_S, ONE_OF_CONTAINERS),
    }
    for name in moments.keys() & set(metafunc.fixturenames):
        moments_s, one_of = moments[name]
        thorough = metafunc.config.getoption("--thorough")
        chosen = [
            pytest.param(moment_s, id=f"after {moment_s:.1f} s", marks=[MEASURES] if thorough else [])
            for moment_s in moments_s[:: 1 if thorough else one_of]
        ]
        metafunc.parametrize(name, chosen)


@pytest.mark.docker
def test_sigkill_leaves_nothing_behind_in_the_engine(
    start_drill: Start, home: Path, moment_in_containers_s: float, gone_within_s: float, record_property: Record
) -> None:
    """A harness killed at any moment leaves no container, no network and no volume either."""
    took_s = kill_after(moment_in_containers_s, start_drill, home, "docker", gone_within_s)
    record_property("gone_after_s", took_s)


def kill_after(moment_s: float, start_drill: Start, home: Path, runtime: str, gone_within_s: float) -> float:
    """Start a drill, kill the harness, and see everything of it go; how many seconds that took."""
    block = free_block()
    environment = {"TMPDIR": str(home), "HARNESS_PORTS": f"{block.start}-{block.stop - 1}"}
    harness = start_drill(*SCENARIOS, "--runtime", runtime, **environment)
    with suppress(subprocess.TimeoutExpired):
        harness.wait(moment_s)
        pytest.fail(f"the harness ended before its moment: {harness.communicate()[0]}")
    sessions = [path.name.removeprefix("harness-") for path in home.glob("harness-*")]
    harness.send_signal(signal.SIGKILL)
    harness.wait(PROMISED_S)
    killed_at_s = time.monotonic()
    # Its directory goes last; to look at all the rest meanwhile would keep the engine and this machine from removing it.
    until_gone(home, gone_within_s)
    while left := left_of(sessions, home, in_engine=runtime == "docker"):
        assert time.monotonic() < killed_at_s + gone_within_s, f"left after {gone_within_s} s: {left}"
        time.sleep(LOOK_EVERY_S)
    gone_after_s = time.monotonic() - killed_at_s
    assert listening(block) == []
    return gone_after_s


def until_gone(home: Path, within_s: float) -> None:
    """Wait until no session's directory is left, or the time is over."""
    gives_up_at_s = time.monotonic() + within_s
    while any(home.glob("harness-*")) and time.monotonic() < gives_up_at_s:
        time.sleep(LOOK_EVERY_S)


def left_of(sessions: list[str], home: Path, *, in_engine: bool) -> list[str]:
    """What is still there of some sessions, for people."""
    left = [f"process {pid}" for session in sessions for pid in session_processes(session)]
    left += [f"directory {path}" for path in home.glob("harness-*")]
    return left + [what for session in sessions if in_engine for what in engine_resources(session)]


def engine_resources(session: str) -> list[str]:
    """What bears a session's label in the engine."""
    wanted = {"label": f"org.testcontainers.session-id={session}"}
    client = docker.from_env()
    try:
        containers = [each["Id"] for each in client.api.containers(all=True, filters=wanted)]
        networks = [each["Name"] for each in client.api.networks(filters=wanted)]
        volumes = [each["Name"] for each in client.api.volumes(filters=wanted)["Volumes"] or []]
    finally:
        client.close()
    return [*containers, *networks, *volumes]


def free_block() -> range:
    """A block of ports that no process uses now, so that what listens there afterwards was left behind.

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
