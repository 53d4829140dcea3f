"""Shared memory of a killed session goes with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.runtime.local.process import ServiceProcess
from harness.runtime.session.session import Session
from harness.runtime.waiting import until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which process made or maps a segment"),
]

MAKES_BOTH = """
import ctypes, time
from multiprocessing import shared_memory
posix = shared_memory.SharedMemory(create=True, size=4096)
libc = ctypes.CDLL(None)
system_v = libc.shmget(0, 4096, 0o1600)
print(posix.name, system_v, flush=True)
time.sleep(600)
"""


async def test_segments_of_a_killed_service_are_removed(session: Session) -> None:
    """POSIX and System V segments that a service held when it was killed (as PostgreSQL's) do not stay."""
    service = await ServiceProcess.start(
        "service", [sys.executable, "-c", MAKES_BOTH], session=session, output=session.directory / "service.log"
    )
    await until(lambda: service.tail().endswith("\n") or service.tail(), what="its segments", deadline_s=5)
    name, identifier = service.tail().split()
    posix = Path("/dev/shm") / name  # noqa: S108 - shared memory, not a temporary file
    assert posix.exists()
    assert identifier in system_v_segments()

    await session.close()

    assert not posix.exists()
    assert identifier not in system_v_segments()


def system_v_segments() -> set[str]:
    """Give the identifiers of all System V segments."""
    return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}
