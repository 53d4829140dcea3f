"""Removes a session whole: its processes, its shared memory, its directory.

Standard library only: the reaper runs it without site-packages.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.runtime import shared_memory, survivors

_KILL_DEADLINE_S = 4.0
# A process that was just being started when the harness died bears no mark until its program is loaded, which takes a
# moment on a busy machine.
_QUIET_S = 0.05
_QUIET_AFTER_A_START_S = 1.0
_REMOVE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed at the end of a session.

    Args:
        killed: how many processes had to be killed.
        left: ids of those that would not die.
        directory_removed: whether the session's directory is gone.
        took_s: seconds that it took.
    """

    killed: int
    left: tuple[int, ...]
    directory_removed: bool
    took_s: float


def remove_session(
    session: str, directory: Path, groups: Mapping[int, str], *, began_at_s: float, was_starting: bool = False
) -> Removed:
    """Kill what is left of a session and remove its directory.

    Args:
        session: the session's id.
        directory: its directory.
        groups: process group id -> the start of its leader, as far as they are known.
        began_at_s: the wall clock time at which it began, in seconds; shared memory that is older is not its own.
        was_starting: whether the harness died while it started a process.
    """
    started = time.monotonic()
    posix: set[Path] = set()
    ended = survivors.end(
        lambda: survivors.members([f"{survivors.SESSION_VARIABLE}={session}"], groups),
        deadline_s=_KILL_DEADLINE_S,
        quiet_s=_QUIET_AFTER_A_START_S if was_starting else _QUIET_S,
        before_kill=lambda frozen: posix.update(shared_memory.mapped_by((p.pid for p in frozen), since_s=began_at_s)),
    )
    shared_memory.remove(posix, frozenset(process.pid for process in ended.killed))
    for _ in range(_REMOVE_ATTEMPTS):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            break
    return Removed(
        killed=len(ended.killed),
        left=tuple(sorted(process.pid for process in ended.left)),
        directory_removed=not directory.exists(),
        took_s=round(time.monotonic() - started, 4),
    )
