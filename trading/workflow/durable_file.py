"""SQLite files whose every acknowledged write survives a crash of the process or of the machine."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import _Parameters

_LOCKED_WAIT_S = 5.0
_LOCKED_POLL_S = 0.0002
_PRIVATE = 0o600


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read, and the folders to it; one that is there is closed to others.

    SQLite's own default mode would let others read it; its log and index files take the mode of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never opened when it is there: closing it again would take this process's other locks on it away.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) != _PRIVATE:
            path.chmod(_PRIVATE)
        return
    if os.geteuid() == 0:
        # Made by hand with more rights than the workflow has, it would be closed to the workflow.
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)
    for folder_path in (path.parent, path.parent.parent):
        _sync_folder(folder_path)


def _sync_folder(folder: Path) -> None:
    # Without it a crash of the machine can forget that there is a file, with all that was acknowledged in it.
    handle = os.open(folder, os.O_RDONLY)
    # Some file systems cannot do this for a folder, and do not need it.
    with contextlib.suppress(OSError):
        os.fsync(handle)
    os.close(handle)


class _PatientConnection(sqlite3.Connection):
    """Waits for a locked file by asking several times a millisecond, before any statement.

    SQLite's own wait asks ten times a second, so that beside a busy writer on a slow disk its turn may never come; and
    it does not wait at all when two processes switch a new file to WAL mode at once.
    """

    def execute(self, sql: str, parameters: _Parameters = (), /) -> sqlite3.Cursor:
        """As sqlite3's own, once the file is not locked."""
        return _when_unlocked(lambda: super(_PatientConnection, self).execute(sql, parameters))

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """As sqlite3's own, once the file is not locked; a script that may be begun again."""
        return _when_unlocked(lambda: super(_PatientConnection, self).executescript(sql_script))


def _when_unlocked(act: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
    ends_s = time.monotonic() + _LOCKED_WAIT_S
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > ends_s:
                raise
        time.sleep(_LOCKED_POLL_S)


def open_durable(path: Path, schema: str, *, max_bytes: int) -> sqlite3.Connection:
    """Open a file in WAL mode with synchronous FULL, in autocommit; several processes may have it open.

    Args:
        path: the file.
        schema: CREATE TABLE IF NOT EXISTS statements.
        max_bytes: its size at most; a write beyond it is an error.

    Raises:
        sqlite3.Error: it is no such file, cannot be read or written, or stays locked for 5 s.
    """
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, factory=_PatientConnection)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {max_bytes // page_size}")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection
