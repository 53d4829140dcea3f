"""SQLite files whose every acknowledged write survives a crash of the process or of the machine."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_LOCKED_WAIT_S = 5.0


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read, and the folders to it.

    SQLite's own default mode would let others read it; its log and index files take the mode of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def open_durable(path: Path, schema: str, *, max_bytes: int) -> sqlite3.Connection:
    """Open a file in WAL mode with synchronous FULL, in autocommit; several processes may have it open.

    Args:
        path: the file.
        schema: CREATE TABLE IF NOT EXISTS statements.
        max_bytes: its size at most; a write beyond it is an error.
    """
    connection = sqlite3.connect(path, timeout=_LOCKED_WAIT_S, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    page_size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {max_bytes // page_size}")
    connection.executescript(schema)
    return connection
