"""What dead sessions left behind, on this machine and in its engine, should even their reaper have been killed."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.runtime.session import process_tree
from harness.runtime.session.engine_removal import EngineApi
from harness.runtime.session.labels import DIRECTORY, HOST
from harness.runtime.session.removal import Removed, remove_session
from harness.runtime.session.session import BEGAN_FILE, DIRECTORY_PREFIX

_NAME = re.compile(rf"{DIRECTORY_PREFIX}([0-9a-f]{{8}})")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What was removed.

    Args:
        sessions: the ids of the dead sessions.
        killed: how many of their processes were killed.
        in_engine: how many of their containers, networks and volumes were removed.
        left: processes that would not die, and what is still in the engine, each in a word.
    """

    sessions: tuple[str, ...]
    killed: int
    in_engine: int
    left: tuple[str, ...]


def clean_dead_sessions(engine: str | None = None) -> Leftovers:
    """Remove what is left of every session that neither a harness nor a reaper holds any more.

    What a living session owns is left alone: its directory is locked as long as one of the two runs.

    Args:
        engine: the address of the engine in which they may have left something, if one answers.
    """
    found = {path for path in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*") if _NAME.fullmatch(path.name)}
    # A session may have used another temporary directory: its processes know which.
    for process in filter(_sees_our_files, process_tree.processes()):
        for entry in process_tree.environment(process.pid):
            name, _, value = entry.partition("=")
            if name == process_tree.DIRECTORY_VARIABLE and _NAME.fullmatch(Path(value).name):
                found.add(Path(value))
    found |= sessions_in(engine) if engine is not None else set()
    removed: dict[str, Removed] = {}
    for directory in sorted(found):
        session = directory.name.removeprefix(DIRECTORY_PREFIX)
        with _held(directory) as is_dead:
            if is_dead:
                began_at_s = _began_at_s(directory)
                removed[session] = remove_session(session, directory, {}, began_at_s=began_at_s, engine=engine)
    parts = [what.engine for what in removed.values()]
    processes = (f"process {pid}" for what in removed.values() for pid in what.left)
    return Leftovers(
        sessions=tuple(removed),
        killed=sum(what.killed for what in removed.values()),
        in_engine=sum(part.containers + part.networks + part.volumes for part in parts),
        left=(*processes, *(name for part in parts for name in part.left)),
    )


def sessions_in(engine: str) -> set[Path]:
    """The directories of the sessions that have something in an engine; they need not exist any more.

    Those of another machine's sessions, or of a container's, are left out: whether they live cannot be seen from here.
    """
    api = EngineApi(engine)
    directories: dict[str, Path] = {}
    for session, labels in api.sessions():
        if labels.get(HOST) == socket.gethostname():
            unknown = Path(tempfile.gettempdir()) / f"{DIRECTORY_PREFIX}{session}"
            said = labels.get(DIRECTORY)
            directories[session] = Path(said) if said else directories.get(session, unknown)
    return {path for path in directories.values() if _NAME.fullmatch(path.name)}


def _sees_our_files(process: process_tree.LiveProcess) -> bool:
    """Say whether a path means the same to it as to us: the living session of a container would look dead from here."""
    try:
        return Path(f"/proc/{process.pid}/ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink()
    except OSError:
        return sys.platform != "linux"


@contextmanager
def _held(directory: Path) -> Iterator[bool]:
    """Hold the directory of a dead session, so that it stays dead; give False when it lives, or is not ours."""
    try:
        held = os.open(directory, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    except FileNotFoundError:
        yield True  # only its processes are left
        return
    except OSError:
        yield False
        return
    try:
        if os.fstat(held).st_uid != os.geteuid():
            yield False
            return
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(held)


def _began_at_s(directory: Path) -> float:
    """Give the wall clock time at which the session began, or now when nothing tells."""
    try:
        return (directory / BEGAN_FILE).stat().st_mtime
    except OSError:
        return time.time()
