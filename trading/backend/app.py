"""The application that uvicorn serves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI

from trading.backend import artifact_files, artifacts, health
from trading.backend.chart_folder import ChartFolder
from trading.backend.database import Database
from trading.backend.failures import answer_failures
from trading.backend.migrate import Migration
from trading.backend.request_log import RequestLog
from trading.backend.settings import BackendSettings


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    migrating = asyncio.create_task(app.state.migration.keep())
    try:
        yield
    finally:
        migrating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await migrating
        await app.state.database.close()


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
    app.state.charts = ChartFolder(app.state.settings.chart_dir)
    # Routes are tried in this order, and most requests store an artifact.
    for router in (artifacts.router, artifact_files.router, health.router):
        app.include_router(router)
    app.add_middleware(RequestLog)
    answer_failures(app)
    return app
