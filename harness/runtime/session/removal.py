"""Removes a session whole: its processes, its shared memory, what it has in an engine, its directory.

Standard library only: the reaper runs it without site-packages.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.runtime.session import process_tree, shared_memory
from harness.runtime.session.removed import RemovedFromEngine
from harness.runtime.session.undo_log import UNDO_FILE, carry_out

_KILL_DEADLINE_S = 4.0
# A process that was just being started when the harness died bears no mark until its program is loaded, which takes a
# moment on a busy machine.
_QUIET_S = 0.05
_QUIET_AFTER_A_START_S = 1.0
_REMOVE_ATTEMPTS = 3
# A container that the engine was asked for when the harness died may come into being some time later.
_ENGINE_QUIET_AFTER_A_REQUEST_S = 1.0
_ENGINE_DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed at the end of a session.

    Args:
        killed: how many processes had to be killed.
        left: ids of those that would not die.
        directory_removed: whether the session's directory is gone.
        took_s: seconds that it took.
        engine: what was removed from the engine, if the session used one.
    """

    killed: int
    left: tuple[int, ...]
    directory_removed: bool
    took_s: float
    engine: RemovedFromEngine = field(default_factory=RemovedFromEngine)

    @property
    def whole(self) -> bool:
        """Whether nothing is left."""
        return self.directory_removed and not self.left and not self.engine.left


def remove_session(
    session: str,
    directory: Path,
    groups: Mapping[int, str],
    *,
    began_at_s: float,
    was_starting: bool = False,
    engine: str | None = None,
    was_asking: bool = False,
) -> Removed:
    """Kill what is left of a session, empty the engine of it and remove its directory.

    Args:
        session: the session's id.
        directory: its directory.
        groups: process group id -> the start of its leader, as far as they are known.
        began_at_s: the wall clock time at which it began, in seconds; shared memory that is older is not its own.
        was_starting: whether the harness died while it started a process.
        engine: the address of the engine that the session used, if it used one.
        was_asking: whether the harness died while the engine was to make something.
    """
    started = time.monotonic()
    from_engine: list[RemovedFromEngine] = []
    beside = threading.Thread(
        target=lambda: from_engine.append(_empty_engine(engine, session, directory, was_asking=was_asking)),
        daemon=True,
    )
    beside.start()
    ended = _end_processes(session, groups, began_at_s, was_starting=was_starting)
    beside.join()
    for _ in range(_REMOVE_ATTEMPTS):
        _empty(directory)
        if not directory.exists():
            break
    return Removed(
        killed=len(ended.killed),
        left=tuple(sorted(process.pid for process in ended.left)),
        directory_removed=not directory.exists(),
        took_s=round(time.monotonic() - started, 4),
        engine=from_engine[0],
    )


def _empty(directory: Path) -> None:
    """Remove a session's directory; of one whose undo log could not be carried out, all but that."""
    if not (directory / UNDO_FILE).exists():
        shutil.rmtree(directory, ignore_errors=True)
        return
    for each in directory.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each, ignore_errors=True)
        elif each.name != UNDO_FILE:
            each.unlink(missing_ok=True)


def _empty_engine(engine: str | None, session: str, directory: Path, *, was_asking: bool) -> RemovedFromEngine:
    if engine is None:
        return RemovedFromEngine()
    # Imported here: it takes 20 ms, and the reaper of a session without an engine is to be ready at once.
    from harness.runtime.session.engine_removal import EngineApi, remove_from_engine  # noqa: PLC0415

    # First: some of it is done by sidecars, which are removed with the rest.
    refused = carry_out(directory, EngineApi(engine))
    quiet_s = _ENGINE_QUIET_AFTER_A_REQUEST_S if was_asking else 0.0
    removed = remove_from_engine(engine, session, quiet_s=quiet_s, deadline_s=_ENGINE_DEADLINE_S)
    return replace(removed, left=(*(f"to be undone: {each}" for each in refused), *removed.left))


def _end_processes(
    session: str, groups: Mapping[int, str], began_at_s: float, *, was_starting: bool
) -> process_tree.Ended:
    posix: set[Path] = set()
    ended = process_tree.end(
        lambda: process_tree.members([f"{process_tree.SESSION_VARIABLE}={session}"], groups),
        deadline_s=_KILL_DEADLINE_S,
        quiet_s=_QUIET_AFTER_A_START_S if was_starting else _QUIET_S,
        before_kill=lambda frozen: posix.update(shared_memory.mapped_by((p.pid for p in frozen), since_s=began_at_s)),
    )
    shared_memory.remove(posix, frozenset(process.pid for process in ended.killed))
    return ended
