"""The application that uvicorn serves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator

import sqlalchemy.exc
from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse

from trading.backend import artifacts, health
from trading.backend.database import Database, DatabaseUnavailable
from trading.backend.migrate import Migration
from trading.backend.settings import BackendSettings

_RETRY_AFTER_S = 1.0


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    migrating = asyncio.create_task(app.state.migration.run())
    try:
        yield
    finally:
        migrating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await migrating
        await app.state.database.close()


async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"detail": f"the database is not available: {error}"},
        status.HTTP_503_SERVICE_UNAVAILABLE,
        headers={"Retry-After": str(math.ceil(_RETRY_AFTER_S))},
    )


async def _no_schema(request: Request, error: Exception) -> JSONResponse:
    migration: Migration = request.app.state.migration
    if migration.done:
        raise error
    return await _unavailable(request, DatabaseUnavailable(migration.state))


async def _bad_value(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"detail": f"the database refused a value: {str(error).splitlines()[0]}"},
        status.HTTP_422_UNPROCESSABLE_CONTENT,
    )


def create_app(settings: BackendSettings | None = None) -> FastAPI:
    """Make the application; its settings come from the environment.

    Args:
        settings: given by tests; read from the environment when None.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    app = FastAPI(title="Trading artifacts", lifespan=_lifespan)
    app.state.settings = settings or BackendSettings()
    app.state.database = Database(app.state.settings)
    app.state.migration = Migration(app.state.settings)
    app.include_router(health.router)
    app.include_router(artifacts.router)
    app.add_exception_handler(DatabaseUnavailable, _unavailable)
    app.add_exception_handler(sqlalchemy.exc.ProgrammingError, _no_schema)
    app.add_exception_handler(sqlalchemy.exc.DataError, _bad_value)
    app.add_exception_handler(sqlalchemy.exc.IntegrityError, _bad_value)
    return app
