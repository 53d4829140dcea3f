"""Where artifacts wait while the backend cannot take them: a SQLite file that survives a crash at any point."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from trading.workflow.durable_file import make_private, open_durable
from trading.workflow.errors import SpoolFull

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key TEXT NOT NULL UNIQUE,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    cause TEXT NOT NULL,
    spooled_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS dead_letters (
    idempotency_key TEXT PRIMARY KEY,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    died_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
"""


@dataclass(frozen=True, slots=True)
class SpooledArtifact:
    """An artifact that waits, or that died.

    Args:
        seq: its place in the order of arrival; 0 for a dead letter.
        reason: why it was spooled, or why it died.
    """

    seq: int
    idempotency_key: str
    execution_id: str
    name: str
    body: str
    reason: str


class Spool:
    """The spool of this host; every process opens it for itself, and closes it or uses it in a with block.

    Args:
        folder: made when missing.
        max_bytes: the file's size at most.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.path = folder / f"spool-{socket.gethostname()}.sqlite3"
        make_private(self.path)
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _file(self) -> sqlite3.Connection:
        # Kept open: the last connection to close copies the log into the file, which costs more than all other work.
        if self._connection is None:
            self._connection = open_durable(self.path, _SCHEMA, max_bytes=self._max_bytes)
        return self._connection

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def add(self, *, key: str, execution_id: str, name: str, body: str, cause: str) -> None:
        """Keep an artifact; when this returns, it is on disk. A second one with the same key changes nothing.

        Args:
            key: the artifact's idempotency key.
            execution_id: its run.
            name: for people.
            body: the request's body.
            cause: why the backend could not take it.

        Raises:
            SpoolFull: no room in the spool or on the disk, or the file cannot be written.
        """
        statement = (
            "INSERT INTO waiting (idempotency_key, execution_id, name, body, cause) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (idempotency_key) DO NOTHING"
        )
        try:
            self._file.execute(statement, (key, execution_id, name, body, cause))
        except sqlite3.Error as error:
            raise self._full(name, execution_id, error) from error

    def first(self) -> SpooledArtifact | None:
        """Read the artifact that has waited longest."""
        row = self._file.execute(
            "SELECT seq, idempotency_key, execution_id, name, body, cause FROM waiting ORDER BY seq LIMIT 1"
        ).fetchone()
        return None if row is None else SpooledArtifact(*row)

    def waiting(self) -> list[SpooledArtifact]:
        """Read all that waits, in order."""
        rows = self._file.execute(
            "SELECT seq, idempotency_key, execution_id, name, body, cause FROM waiting ORDER BY seq"
        ).fetchall()
        return [SpooledArtifact(*row) for row in rows]

    def dead(self) -> list[SpooledArtifact]:
        """Read the dead letters."""
        rows = self._file.execute(
            "SELECT 0, idempotency_key, execution_id, name, body, reason FROM dead_letters ORDER BY died_at"
        ).fetchall()
        return [SpooledArtifact(*row) for row in rows]

    def forget(self, seq: int) -> None:
        """Drop an artifact that the backend has stored."""
        self._file.execute("DELETE FROM waiting WHERE seq = ?", (seq,))

    def bury(self, artifact: SpooledArtifact, reason: str) -> None:
        """Move an artifact that the backend will never take to the dead letters, in one transaction.

        Args:
            artifact: in the spool, or never there.
            reason: the backend's words.

        Raises:
            SpoolFull: the dead letters cannot take it.
        """
        letter = (artifact.idempotency_key, artifact.execution_id, artifact.name, artifact.body, reason)
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute(
                "INSERT OR REPLACE INTO dead_letters (idempotency_key, execution_id, name, body, reason)"
                " VALUES (?, ?, ?, ?, ?)",
                letter,
            )
            self._file.execute("DELETE FROM waiting WHERE idempotency_key = ?", (artifact.idempotency_key,))
            self._file.execute("COMMIT")
        except sqlite3.Error as error:
            # Closing takes the transaction back, whatever state the error left it in.
            self.close()
            raise self._full(artifact.name, artifact.execution_id, error) from error

    def _full(self, name: str, execution_id: str, error: sqlite3.Error) -> SpoolFull:
        return SpoolFull(
            f"artifact {name!r} of {execution_id} is not stored: {self.path} cannot take it ({error});"
            " free disk space, or raise ARTIFACT_SPOOL_MAX_BYTES"
        )

    @contextlib.contextmanager
    def replaying(self) -> Iterator[bool]:
        """Hold the right to replay; False when another process holds it.

        The lock belongs to the open file, so the system takes it back from a process that dies.
        """
        with self.path.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
