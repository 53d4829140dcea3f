"""Shared memory that outlives the processes that made it: a killed PostgreSQL leaves some behind.

Standard library only: the reaper runs it without site-packages. Linux alone; elsewhere it finds nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_POSIX = "/dev/shm/"  # noqa: S108 - where Linux keeps POSIX shared memory, not a temporary file of ours
_SYSTEM_V = Path("/proc/sysvipc/shm")
_IPC_RMID = 0


def mapped_by(pids: Iterable[int], *, since_s: float) -> frozenset[Path]:
    """Give the POSIX shared memory that these processes map and that is not older than their session.

    Args:
        pids: processes that still exist (stopped is enough).
        since_s: the wall clock time in seconds at which the session began; what is older belongs to others.
    """
    found: set[Path] = set()
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
                if _POSIX in line:
                    found.add(Path(_POSIX + line.partition(_POSIX)[2].removesuffix(" (deleted)")))
    return frozenset(path for path in found if _is_ours(path, since_s))


def remove(posix: Iterable[Path], creators: frozenset[int]) -> int:
    """Remove POSIX segments by path, and System V segments that dead processes of ours made and no process uses.

    Args:
        posix: what ``mapped_by`` gave.
        creators: ids of the processes that were killed.

    Returns:
        How many segments were removed.
    """
    removed = 0
    for path in posix:
        with suppress(OSError):
            path.unlink()
            removed += 1
    return removed + _remove_system_v(creators)


def _is_ours(path: Path, since_s: float) -> bool:
    try:
        state = path.stat()
    except OSError:
        return False
    return state.st_ctime >= since_s and os.geteuid() in (0, state.st_uid)


def _remove_system_v(creators: frozenset[int]) -> int:
    """Source: https://man7.org/linux/man-pages/man5/sysvipc.5.html (key shmid perms size cpid lpid nattch …)."""
    try:
        lines = _SYSTEM_V.read_text().splitlines()[1:]
    except OSError:
        return 0
    rows = [line.split() for line in lines]
    unused = [int(row[1]) for row in rows if int(row[4]) in creators and int(row[6]) == 0]
    if not unused:
        return 0
    import ctypes  # noqa: PLC0415 - rarely needed, and the reaper must start fast

    shmctl = ctypes.CDLL(None).shmctl
    return sum(shmctl(identifier, _IPC_RMID, None) == 0 for identifier in unused)
