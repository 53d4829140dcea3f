"""A SQLite file that has what it acknowledged, once and in order, after a crash at any point."""

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
from trading.workflow.errors import SpoolBroken, SpoolFull

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
_WAITING = "SELECT seq, idempotency_key, execution_id, name, body, cause, spooled_at FROM waiting"
_DEAD = "SELECT 0, idempotency_key, execution_id, name, body, reason, died_at FROM dead_letters"
# Bytes as they lie there, whether they are UTF-8 or not.
_TAKE_OUT = (
    "DELETE FROM waiting WHERE seq = ? RETURNING CAST(idempotency_key AS BLOB), CAST(execution_id AS BLOB),"
    " CAST(name AS BLOB), CAST(body AS BLOB)"
)
_KEEP_DEAD = (
    "INSERT OR REPLACE INTO dead_letters (idempotency_key, execution_id, name, body, reason)"
    " VALUES (CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?)"
)
_REASON_MAX = 1000


@dataclass(frozen=True, slots=True)
class SpooledArtifact:
    """An artifact that waits, or that died.

    Args:
        seq: its place in the order of arrival; 0 for a dead letter.
        body: the request's body; what is not UTF-8 in it stands as lone surrogates.
        reason: why it was spooled, or why it died.
        since: when that was, in UTC; empty when it is not in the spool yet.
    """

    seq: int
    idempotency_key: str
    execution_id: str
    name: str
    body: str
    reason: str
    since: str = ""


def spool_file(folder: Path, host: str | None = None) -> Path:
    """The file of a host's spool.

    A file for each host, since SQLite's log needs memory that its users share, which a network file system has not.

    Args:
        folder: the folder of the spool.
        host: this host when None.
    """
    return folder / f"spool-{host or socket.gethostname()}.sqlite3"


def other_hosts(folder: Path, host: str | None = None) -> list[str]:
    """The other hosts that have a spool in the folder; one that is gone for good is replayed by its name.

    Args:
        folder: the folder of the spool.
        host: not counted; this host when None.
    """
    own = spool_file(folder, host)
    files = sorted(file for file in folder.glob("spool-*.sqlite3") if file != own)
    return [file.stem.removeprefix("spool-") for file in files]


class Spool:
    """The spool of a host; every process opens it for itself, and closes it or uses it in a with block.

    Args:
        folder: made when missing.
        max_bytes: the file's size at most.
        host: this host when None.

    Raises:
        SpoolBroken: there can be no file in the folder.
    """

    def __init__(self, folder: Path, *, max_bytes: int, host: str | None = None) -> None:
        self.path = spool_file(folder, host)
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        with self._named_errors():
            make_private(self.path)

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
            # One damaged text must not make those behind it unreadable.
            self._connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
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
            self._file.execute(statement, (key, execution_id, name, body, _reason(cause)))
        except (sqlite3.Error, OSError) as error:
            raise self._full(name, execution_id, error) from error

    def ahead(self, *, after: int = 0, count: int = 1, max_bytes: int = 0) -> list[SpooledArtifact]:
        """Read what has waited longest, in order: one artifact at least, when there is one.

        Args:
            after: only artifacts behind this place.
            count: artifacts at most.
            max_bytes: the sum of their bodies at most, but for the first.

        Raises:
            SpoolBroken: the file cannot be read.
        """
        found: list[SpooledArtifact] = []
        size = 0
        with self._named_errors():
            for row in self._file.execute(f"{_WAITING} WHERE seq > ? ORDER BY seq LIMIT ?", (after, count)):
                artifact = SpooledArtifact(*row)
                size += len(artifact.body)
                if found and size > max_bytes:
                    break
                found.append(artifact)
        return found

    def waiting(self) -> list[SpooledArtifact]:
        """Read all that waits, in order.

        Raises:
            SpoolBroken: the file cannot be read.
        """
        with self._named_errors():
            return [SpooledArtifact(*row) for row in self._file.execute(f"{_WAITING} ORDER BY seq")]

    def dead(self) -> list[SpooledArtifact]:
        """Read the dead letters, oldest first.

        Raises:
            SpoolBroken: the file cannot be read.
        """
        with self._named_errors():
            return [SpooledArtifact(*row) for row in self._file.execute(f"{_DEAD} ORDER BY died_at, rowid")]

    def waiting_count(self) -> int:
        """Count what waits.

        Raises:
            SpoolBroken: the file cannot be read.
        """
        with self._named_errors():
            return int(self._file.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def forget(self, artifacts: list[SpooledArtifact]) -> None:
        """Drop artifacts that the backend has stored, in one transaction.

        Raises:
            SpoolBroken: the file cannot be written; they will be sent again, and the backend will know them.
        """
        places = [(artifact.seq,) for artifact in artifacts]
        with self._named_errors():
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("DELETE FROM waiting WHERE seq = ?", places)
            self._file.execute("COMMIT")

    def bury(self, artifact: SpooledArtifact, reason: str) -> None:
        """Move an artifact that the backend will never take to the dead letters, in one transaction.

        Args:
            artifact: in the spool, or never there.
            reason: the backend's words.

        Raises:
            SpoolFull: the dead letters cannot take it.
        """
        own = (artifact.idempotency_key, artifact.execution_id, artifact.name, artifact.body)
        try:
            self._file.execute("BEGIN IMMEDIATE")
            # Dropped before it is kept, so that a full spool has the room.
            moved = self._file.execute(_TAKE_OUT, (artifact.seq,)).fetchall()
            self._file.execute(_KEEP_DEAD, (*(moved[0] if moved else own), _reason(reason)))
            self._file.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            # Closing takes the transaction back, in any state that the error left it in.
            self.close()
            raise self._full(artifact.name, artifact.execution_id, error) from error

    def _full(self, name: str, execution_id: str, error: Exception) -> SpoolFull:
        return SpoolFull(
            f"artifact {name!r} of {execution_id} is not stored: {self.path} cannot take it ({error});"
            " free disk space, or raise ARTIFACT_SPOOL_MAX_BYTES"
        )

    @contextlib.contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise SpoolBroken(f"the spool {self.path} cannot be used: {error}") from error

    @contextlib.contextmanager
    def replaying(self) -> Iterator[bool]:
        """Hold the right to replay; False when another process holds it.

        The lock belongs to the open file, so the system takes it back from a process that dies.
        """
        path = self.path.with_suffix(".lock")
        with self._named_errors():
            make_private(path)
            lock = path.open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def _reason(words: str) -> str:
    return words.encode(errors="replace").decode()[:_REASON_MAX]
