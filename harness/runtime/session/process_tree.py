"""Finds every process of a session, and ends it.

The reaper runs this without site-packages, so it imports the standard library alone; only where there is no ``/proc``
(macOS) does it ask psutil, at the moment it needs it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SESSION_VARIABLE = "HARNESS_SESSION"
DIRECTORY_VARIABLE = "HARNESS_SESSION_DIR"
SERVICE_VARIABLE = "HARNESS_SERVICE"
COMMAND_VARIABLE = "HARNESS_COMMAND"

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()
# For so long no look may find anything: a process shows no environment while it is between two programs (exec).
_QUIET_S = 0.05
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class LiveProcess:
    """A process as it was seen: its id alone does not name it, for ids are used again."""

    pid: int
    parent: int
    group: int
    session: int
    started: str
    # Not part of who it is.
    is_stopped: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """What was ended, and what would not go before the deadline."""

    killed: frozenset[LiveProcess]
    left: frozenset[LiveProcess]


def find_process(pid: int) -> LiveProcess | None:
    """Give a live process, or None when it is gone or only a zombie.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    if not _HAS_PROC:
        return _find_without_proc(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in brackets may hold blanks and brackets of its own: the fields start after the last one.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return LiveProcess(pid, int(fields[1]), int(fields[2]), int(fields[3]), fields[19], is_stopped=fields[0] in "Tt")


def processes() -> list[LiveProcess]:
    """Give every live process that this user can see."""
    if not _HAS_PROC:
        import psutil  # noqa: PLC0415 - only where there is no /proc, and never needed by the reaper on Linux

        pids: Iterable[int] = psutil.pids()
    else:
        pids = [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]  # noqa: PTH208 - ten times faster
    return [seen for pid in pids if (seen := find_process(pid)) is not None]


def environment(pid: int) -> frozenset[str]:
    """Give the environment with which a process started, as ``NAME=value`` entries; empty when it cannot be read."""
    if _HAS_PROC:
        try:
            raw = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            return frozenset()
        return frozenset(raw.decode(errors="replace").split("\0"))
    import psutil  # noqa: PLC0415 - see processes()

    try:
        return frozenset(f"{name}={value}" for name, value in psutil.Process(pid).environ().items())
    except (psutil.Error, OSError):
        return frozenset()


def members(marks: Iterable[str], groups: Mapping[int, str]) -> frozenset[LiveProcess]:
    """Give every process that belongs to a session or a service.

    Three marks, for each can be lost: the environment (a program may overwrite it to change its title), the process
    group (``setsid`` leaves it), and the descent (a parent that dies breaks it).

    Args:
        marks: ``NAME=value`` entries, all of which the environment must hold.
        groups: process group id -> the start of its leader, so that an id that was used again is not taken for it.
    """
    wanted = frozenset(marks)
    seen = {process.pid: process for process in processes()}
    ours = {group for group, started in groups.items() if group not in seen or seen[group].started == started}
    found = {
        pid
        for pid, process in seen.items()
        if process.group in ours or process.session in ours or (wanted and wanted <= environment(pid))
    }
    children: dict[int, list[int]] = {}
    for process in seen.values():
        children.setdefault(process.parent, []).append(process.pid)
    fresh = list(found)
    while fresh:
        descendants = [pid for parent in fresh for pid in children.get(parent, ()) if pid not in found]
        found.update(descendants)
        fresh = descendants
    found.discard(os.getpid())
    return frozenset(seen[pid] for pid in found)


def end(
    find: Callable[[], frozenset[LiveProcess]],
    *,
    deadline_s: float,
    quiet_s: float = _QUIET_S,
    before_kill: Callable[[frozenset[LiveProcess]], None] | None = None,
) -> Ended:
    """Kill every process that ``find`` finds, until it finds none.

    They are frozen first, until none is new: a process that forks while it is looked for would get away otherwise.

    Args:
        find: gives the processes that have to go.
        deadline_s: seconds until what is left is given up.
        quiet_s: seconds for which nothing may be found before it is over.
        before_kill: is shown the frozen processes while their memory maps can still be read.
    """
    gives_up_at = time.monotonic() + deadline_s
    killed: frozenset[LiveProcess] = frozenset()
    quiet_since: float | None = None
    while (now := time.monotonic()) < gives_up_at:
        frozen = _freeze(find, gives_up_at)
        if not frozen:
            # From before the look: what it did not see may have come while it looked.
            quiet_since = now if quiet_since is None else quiet_since
            if now - quiet_since >= quiet_s:
                break
            time.sleep(_POLL_S)
            continue
        quiet_since = None
        if before_kill is not None:
            before_kill(frozen)
        for process in frozen:
            send(process, signal.SIGKILL)
        killed |= frozen
        while any(is_alive(process) for process in frozen) and time.monotonic() < gives_up_at:
            time.sleep(_POLL_S / 2)
    left = frozenset(process for process in killed if is_alive(process))
    return Ended(killed - left, left)


def is_alive(process: LiveProcess) -> bool:
    """Say whether this very process, not another with its id, still runs."""
    now = find_process(process.pid)
    return now is not None and now.started == process.started


def send(process: LiveProcess, number: signal.Signals) -> bool:
    """Send a signal to this very process.

    Returns:
        Whether it got it; not when it is gone.
    """
    if not is_alive(process):
        return False
    try:
        os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _freeze(find: Callable[[], frozenset[LiveProcess]], gives_up_at: float) -> frozenset[LiveProcess]:
    frozen: set[LiveProcess] = set()
    known: set[tuple[int, str]] = set()
    while time.monotonic() < gives_up_at:
        # By identity, not by value: a process that is given a new parent meanwhile is the same process.
        new = [process for process in find() if (process.pid, process.started) not in known]
        if not new:
            break
        for process in new:
            known.add((process.pid, process.started))
            # A look takes a moment: what it saw at its beginning may have ended since.
            if send(process, signal.SIGSTOP):
                frozen.add(process)
    return frozenset(frozen)


def _find_without_proc(pid: int) -> LiveProcess | None:
    import psutil  # noqa: PLC0415 - see processes()

    try:
        process = psutil.Process(pid)
        status = process.status()
        if status == psutil.STATUS_ZOMBIE:
            return None
        return LiveProcess(
            pid,
            process.ppid(),
            os.getpgid(pid),
            os.getsid(pid),
            repr(process.create_time()),
            is_stopped=status == psutil.STATUS_STOPPED,
        )
    except (psutil.Error, OSError):
        return None
