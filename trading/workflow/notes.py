"""What goes wrong in a run is noted at once, so that the last task can say it even of a task that was killed later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trading.workflow.errors import RunDatabaseUnavailable
from trading.workflow.local_notes import LocalNotes
from trading.workflow.run_database import Connection, RunDatabase

Kind = Literal["degraded", "failed"]

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


async def note(database: RunDatabase, local: LocalNotes, execution_id: str, written: Note) -> None:
    """Write a note to the database, or beside the spool when the database cannot take it."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO run_notes (execution_id, task_id, kind, cause) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (execution_id, written.task_id, written.kind, written.cause),
        )

    try:
        await database.run(work, what="write a note", budget_s=_WRITE_S)
    except RunDatabaseUnavailable:
        local.add(execution_id, written.task_id, written.kind, written.cause)


async def read_notes(database: RunDatabase, local: LocalNotes, execution_id: str) -> tuple[Note, ...]:
    """Read a run's notes, from the database and from beside the spool."""

    async def work(connection: Connection) -> list[Note]:
        cursor = await connection.execute(
            "SELECT task_id, kind, cause FROM run_notes WHERE execution_id = %s ORDER BY id", (execution_id,)
        )
        return [Note(row["task_id"], row["kind"], row["cause"]) for row in await cursor.fetchall()]

    kept = [
        Note(task_id, "failed" if kind == "failed" else "degraded", cause)
        for task_id, kind, cause in local.of_run(execution_id)
    ]
    try:
        remote = await database.run(work, what="read the run's notes")
    except RunDatabaseUnavailable:
        remote = []
    return tuple(dict.fromkeys([*remote, *kept]))
