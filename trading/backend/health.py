"""Whether the process is up, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, status
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from trading.backend.artifacts import database_of
from trading.backend.database import Database, DatabaseUnavailable
from trading.backend.migrate import Migration

router = APIRouter()

_PROBE_S = 0.9


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Say that the process is up; touches nothing else."""
    return {"status": "alive"}


@router.get("/health")
@router.get("/health/ready")
async def ready(request: Request, database: Annotated[Database, Depends(database_of)]) -> JSONResponse:
    """Say whether artifacts can be stored now; 503 names what is missing."""
    migration: Migration = request.app.state.migration
    failed: dict[str, str] = {}
    if not migration.done:
        failed["schema"] = migration.state
    problem = await _problem(database.run(_ping, what="probe the database", deadline_s=_PROBE_S))
    if problem:
        failed["database"] = problem
    if failed:
        return JSONResponse({"status": "unavailable", "failed": failed}, status.HTTP_503_SERVICE_UNAVAILABLE)
    return JSONResponse({"status": "ready", "failed": {}})


async def _ping(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))


async def _problem(probe: Awaitable[None]) -> str:
    try:
        await probe
    except DatabaseUnavailable as unavailable:
        return str(unavailable)
    return ""
