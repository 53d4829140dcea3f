"""The table workflow_runs: what became of each run, and whether people were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from trading.workflow.run_database import Connection, RunDatabase


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


async def record_notified(database: RunDatabase, execution_id: str) -> None:
    """Record that people were told about a run."""

    async def work(connection: Connection) -> None:
        await connection.execute(
            "UPDATE workflow_runs SET notified_at = coalesce(notified_at, now()) WHERE execution_id = %s",
            (execution_id,),
        )

    await database.run(work, what="record the notification")
