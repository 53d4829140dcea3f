"""Whether the process is up, and whether it can do its work."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter, Request, status
from fastapi.responses import JSONResponse

from trading.backend.chart_folder import ChartFolder
from trading.backend.database import Database
from trading.backend.errors import DatabaseUnavailable, SchemaMissing
from trading.backend.migrate import Migration
from trading.backend.pool import Connection

router = APIRouter()

_log = logging.getLogger(__name__)


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process is up; touches nothing else."""
    return {"status": "alive"}


@router.get("/health")
@router.get("/health/ready")
async def ready(request: Request) -> JSONResponse:
    """Say whether artifacts can be stored and shown now; 503 names what is missing."""
    state = request.app.state
    in_database, charts = await asyncio.gather(_problems_of(state.database, state.migration), _problem_of(state.charts))
    failed = in_database | charts
    if failed:
        _log.warning("not_ready failed=%r", failed)
        return JSONResponse({"status": "unavailable", "failed": failed}, status.HTTP_503_SERVICE_UNAVAILABLE)
    return JSONResponse({"status": "ready", "failed": {}})


async def _problems_of(database: Database, migration: Migration) -> dict[str, str]:
    """What is wrong with the database; one statement answers for it and for its schema."""
    try:
        at = await database.probes.run(_step_of, what="probe the database")
    except SchemaMissing:
        migration.want()
        return {"schema": migration.state}
    except DatabaseUnavailable as gone:
        return {"database": str(gone)} | ({} if migration.done else {"schema": migration.state})
    if at == migration.head:
        return {}
    migration.want()
    return {"schema": f"it is at step {at or 'none'}, and should be at {migration.head}; {migration.state}"}


async def _step_of(connection: Connection) -> str:
    cursor = await connection.execute("SELECT version_num FROM alembic_version")
    return ", ".join(sorted(str(row[0]) for row in await cursor.fetchall()))


async def _problem_of(charts: ChartFolder) -> dict[str, str]:
    problem = await charts.problem()
    return {"charts": problem} if problem else {}
