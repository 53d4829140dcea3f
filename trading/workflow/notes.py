"""What goes wrong in a run is noted at once, so that the last task can say it even of a task that was killed later."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from trading.workflow.events import get_events
from trading.workflow.local_notes import LocalNotes
from trading.workflow.run_database import Connection, RunDatabase
from trading.workflow.run_records import DATABASE_ERRORS

Kind = Literal["degraded", "failed"]

log = get_events(__name__)

_WRITE_S = 2.0


@dataclass(frozen=True, slots=True)
class Note:
    """Something that went wrong.

    Args:
        task_id: where.
        kind: whether the task went on, or ended.
        cause: what happened.
    """

    task_id: str
    kind: Kind
    cause: str


class Notes:
    """A run's notes: in the database, and beside the spool when the database cannot take them.

    Args:
        database: the workflow's.
        local: this host's.
        execution_id: the run.
    """

    def __init__(self, database: RunDatabase, local: LocalNotes, execution_id: str) -> None:
        self._database = database
        self._local = local
        self._execution_id = execution_id
        self._database_gone = False

    async def write(self, note: Note) -> None:
        """Keep a note; a second one of the same words changes nothing. One that can be kept nowhere is logged."""
        # A database that is silent costs seconds, and a task may have much to note then: it is asked once.
        if not self._database_gone:
            try:
                return await self._database.run(
                    lambda connection: self._insert(connection, note), what="write a note", budget_s=_WRITE_S
                )
            except DATABASE_ERRORS:
                self._database_gone = True
        try:
            self._local.add(self._execution_id, note.task_id, note.kind, note.cause)
        except (OSError, sqlite3.Error) as error:
            log.error("note_lost", task=note.task_id, kind=note.kind, cause=note.cause, error=str(error))  # noqa: TRY400 - its words say all

    async def _insert(self, connection: Connection, note: Note) -> None:
        await connection.execute(
            "INSERT INTO run_notes (execution_id, task_id, kind, cause) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (self._execution_id, note.task_id, note.kind, note.cause),
        )

    async def read(self) -> tuple[Note, ...]:
        """Read all notes that can be read, each once."""
        try:
            remote = await self._database.run(self._select, what="read the run's notes")
        except DATABASE_ERRORS:
            remote = []
        try:
            kept = self._local.of_run(self._execution_id)
        except (OSError, sqlite3.Error) as error:
            log.error("notes_unreadable", error=str(error))  # noqa: TRY400 - its words say all
            kept = []
        local = [Note(task_id, "failed" if kind == "failed" else "degraded", cause) for task_id, kind, cause in kept]
        return tuple(dict.fromkeys([*remote, *local]))

    async def _select(self, connection: Connection) -> list[Note]:
        cursor = await connection.execute(
            "SELECT task_id, kind, cause FROM run_notes WHERE execution_id = %s ORDER BY id", (self._execution_id,)
        )
        return [Note(row["task_id"], row["kind"], row["cause"]) for row in await cursor.fetchall()]
