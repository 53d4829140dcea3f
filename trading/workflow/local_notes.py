"""Notes about runs on this host, for the time when the database cannot take them, and what their tasks counted."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from trading.workflow.artifact_metrics import ArtifactMetrics
from trading.workflow.durable_file import make_private, open_durable
from trading.workflow.events import get_events

log = get_events(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (
    execution_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    cause TEXT NOT NULL,
    UNIQUE (execution_id, task_id, kind, cause)
);
CREATE TABLE IF NOT EXISTS notified (execution_id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS artifact_metrics (
    execution_id TEXT PRIMARY KEY,
    stored INTEGER NOT NULL,
    retried INTEGER NOT NULL,
    spooled INTEGER NOT NULL,
    replayed INTEGER NOT NULL,
    dead INTEGER NOT NULL
);
"""
_COUNT = """
INSERT INTO artifact_metrics (execution_id, stored, retried, spooled, replayed, dead)
VALUES (:execution_id, :stored, :retried, :spooled, :replayed, :dead)
ON CONFLICT (execution_id) DO UPDATE SET
    stored = stored + excluded.stored,
    retried = retried + excluded.retried,
    spooled = spooled + excluded.spooled,
    replayed = replayed + excluded.replayed,
    dead = dead + excluded.dead
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

    def count(self, execution_id: str, metrics: ArtifactMetrics) -> None:
        """Add what a task counted to what its run's tasks counted before; no task fails for it."""
        try:
            with self._open() as file:
                file.execute(_COUNT, {"execution_id": execution_id, **metrics.values()})
        except (OSError, sqlite3.Error) as error:
            log.warning("artifact_metrics_lost", execution_id=execution_id, error=str(error))

    def counted(self, execution_id: str) -> ArtifactMetrics:
        """Read what a run's tasks on this host have counted; nothing where that cannot be read."""
        if not self._path.exists():
            return ArtifactMetrics()
        try:
            with self._open() as file:
                row = file.execute(
                    "SELECT stored, retried, spooled, replayed, dead FROM artifact_metrics WHERE execution_id = ?",
                    (execution_id,),
                ).fetchone()
        except (OSError, sqlite3.Error) as error:
            log.warning("artifact_metrics_unreadable", execution_id=execution_id, error=str(error))
            return ArtifactMetrics()
        return ArtifactMetrics() if row is None else ArtifactMetrics(*row)
