"""Notes about runs on this host, for the time when the database cannot take them."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from trading.workflow.durable_file import make_private, open_durable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    execution_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    UNIQUE (execution_id, task_id, kind, cause)
);
CREATE TABLE IF NOT EXISTS notified (execution_id TEXT PRIMARY KEY);
"""

_MAX_BYTES = 64 * 1024 * 1024


class LocalNotes:
    """The notes of this host, in a file beside the spool.

    Args:
        folder: made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"notes-{socket.gethostname()}.sqlite3"

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        make_private(self._path)
        connection = open_durable(self._path, _SCHEMA, max_bytes=_MAX_BYTES)
        try:
            yield connection
        finally:
            connection.close()

    def add(self, execution_id: str, task_id: str, kind: str, cause: str) -> None:
        """Keep a note; a second one of the same words changes nothing."""
        with self._open() as file:
            file.execute(
                "INSERT OR IGNORE INTO notes (execution_id, task_id, kind, cause) VALUES (?, ?, ?, ?)",
                (execution_id, task_id, kind, cause),
            )

    def of_run(self, execution_id: str) -> list[tuple[str, str, str]]:
        """Read a run's notes as (task_id, kind, cause), in order."""
        if not self._path.exists():
            return []
        with self._open() as file:
            return file.execute(
                "SELECT task_id, kind, cause FROM notes WHERE execution_id = ? ORDER BY rowid", (execution_id,)
            ).fetchall()

    def set_notified(self, execution_id: str) -> None:
        """Remember that people were told about a run."""
        with self._open() as file:
            file.execute("INSERT OR IGNORE INTO notified (execution_id) VALUES (?)", (execution_id,))

    def is_notified(self, execution_id: str) -> bool:
        """Whether people were told about a run."""
        if not self._path.exists():
            return False
        with self._open() as file:
            row = file.execute("SELECT 1 FROM notified WHERE execution_id = ?", (execution_id,)).fetchone()
        return row is not None
