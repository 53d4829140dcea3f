"""Bringing the schema to its newest step, as soon as there is a database."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import sqlalchemy.exc
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from trading.backend.settings import BackendSettings
from trading.deadline import DeadlineExceeded, within

_log = logging.getLogger(__name__)

_ATTEMPT_S = 10.0
_WAIT_MAX_S = 1.0
_PAUSE_S = 1.0


class Migration:
    """The migration of one process's database, retried until it is done, and done again when it turns out to be needed.

    Args:
        settings: where the database is.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._url = settings.sqlalchemy_url
        self._wanted = asyncio.Event()
        self.head = ScriptDirectory.from_config(_config()).get_current_head()
        self.done = False
        self.state = "the schema has not been migrated yet"

    def want(self) -> None:
        """Say that the schema is not what it should be: the database may have been replaced by an empty one."""
        if self.done:
            self._wanted.set()

    async def keep(self) -> None:
        """Migrate at once, and again whenever it is wanted, for as long as the process lives."""
        while True:
            await self.run()
            await asyncio.sleep(_PAUSE_S)
            await self._wanted.wait()

    async def run(self) -> None:
        """Migrate to the newest step; wait for the database for as long as it takes."""
        self._wanted.clear()
        self.done = False
        attempt = 0
        while not self.done:
            attempt += 1
            try:
                await within(_ATTEMPT_S, self._upgrade(), what="migrating the schema")
            except (DeadlineExceeded, OSError, sqlalchemy.exc.SQLAlchemyError, CommandError) as failure:
                self.state = f"attempt {attempt} to migrate the schema failed: {str(failure).splitlines()[0]}"
                _log.warning("attempt_failed target=postgres cause=migration attempt=%d error=%r", attempt, self.state)
                await asyncio.sleep(random.uniform(0.1, min(_WAIT_MAX_S, 0.2 * 2 ** min(attempt, 8))))  # noqa: S311 - jitter
            else:
                self.done = True
                self.state = "the schema has been migrated"
                _log.info("schema_migrated attempts=%d", attempt)

    async def _upgrade(self) -> None:
        engine = create_async_engine(self._url, poolclass=NullPool, connect_args={"connect_timeout": 2})
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade_to_head)
        finally:
            await engine.dispose()


def _upgrade_to_head(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
