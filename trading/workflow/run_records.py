"""The table workflow_runs: what became of each run, and whether people were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from trading.workflow.errors import RunDatabaseUnavailable
from trading.workflow.run_database import Connection, RunDatabase, json_row

# Beside a database that cannot be reached, one without our tables: what there is to say must then go another way.
DATABASE_ERRORS = (RunDatabaseUnavailable, psycopg.Error)


class Outcome(StrEnum):
    """What became of a run."""

    RUNNING = "running"
    SUCCESS = "success"
    DEGRADED = "degraded"
    FAILED = "failed"


class Reason(BaseModel):
    """Why a run is not a plain success.

    Args:
        task: where it happened.
        cause: what happened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    cause: str


class RunRecord(BaseModel):
    """A run as it is recorded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    execution_id: str
    outcome: Outcome
    reasons: tuple[Reason, ...]
    notified_at: datetime | None


async def record_start(database: RunDatabase, execution_id: str, dag_id: str) -> None:
    """Record that a run has started; a repeat changes nothing."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "INSERT INTO workflow_runs (execution_id, dag_id, outcome) VALUES (%s, %s, 'running')"
            " ON CONFLICT (execution_id) DO NOTHING",
            (execution_id, dag_id),
        )

    await database.run(work, what="record the run's start")


async def record_outcome(
    database: RunDatabase, execution_id: str, dag_id: str, outcome: Outcome, reasons: Sequence[Reason]
) -> RunRecord:
    """Record what became of a run, and read whether people were told already."""

    async def work(connection: Connection) -> RunRecord:
        cursor = await connection.execute(
            "INSERT INTO workflow_runs (execution_id, dag_id, outcome, reasons, ended_at)"
            " VALUES (%(run)s, %(dag)s, %(outcome)s, %(reasons)s, now())"
            " ON CONFLICT (execution_id) DO UPDATE"
            " SET outcome = excluded.outcome, reasons = excluded.reasons, ended_at = excluded.ended_at"
            " RETURNING execution_id, outcome, reasons, notified_at",
            {
                "run": execution_id,
                "dag": dag_id,
                "outcome": outcome.value,
                "reasons": Jsonb([reason.model_dump() for reason in reasons]),
            },
        )
        return RunRecord.model_validate(await cursor.fetchone())

    return await database.run(work, what="record the run's outcome")


async def read_run(database: RunDatabase, execution_id: str) -> RunRecord | None:
    """Read what is recorded about a run; None when nothing is."""

    async def work(connection: Connection) -> RunRecord | None:
        cursor = await connection.execute(
            "SELECT execution_id, outcome, reasons, notified_at FROM workflow_runs WHERE execution_id = %s",
            (execution_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else RunRecord.model_validate(row)

    return await database.run(work, what="read the run's record")


async def failed_in_a_row(database: RunDatabase, dag_id: str) -> int:
    """Count the runs that failed since the last one that did not."""

    async def work(connection: Connection) -> int:
        cursor = await connection.execute(
            "SELECT count(*) AS failed FROM workflow_runs WHERE dag_id = %(dag)s AND outcome = 'failed'"
            " AND started_at > coalesce((SELECT max(started_at) FROM workflow_runs"
            " WHERE dag_id = %(dag)s AND outcome IN ('success', 'degraded')), '-infinity')",
            {"dag": dag_id},
        )
        return int(json_row(await cursor.fetchone())["failed"])

    return await database.run(work, what="count the failed runs")


async def record_notified(database: RunDatabase, execution_id: str) -> None:
    """Record that people were told about a run."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "UPDATE workflow_runs SET notified_at = coalesce(notified_at, now()) WHERE execution_id = %s",
            (execution_id,),
        )

    await database.run(work, what="record the notification")
