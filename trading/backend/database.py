"""The pool of database connections, and the deadline under which each request uses it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from trading.backend.settings import BackendSettings
from trading.deadline import DeadlineExceeded, within

T = TypeVar("T")

_POOL_WAIT_S = 0.7

_log = logging.getLogger(__name__)


class DatabaseUnavailable(Exception):
    """The database did not do the work in time, or could not be reached."""


class Database:
    """Connections to the artifacts' database.

    Connections are in autocommit: each write is one statement, which is a transaction by itself, so a request costs
    one round trip instead of three.

    Args:
        settings: address, pool size and deadline.
    """

    def __init__(self, settings: BackendSettings) -> None:
        self._deadline_s = settings.db_deadline_s
        self._engine: AsyncEngine = create_async_engine(
            settings.sqlalchemy_url,
            isolation_level="AUTOCOMMIT",
            pool_size=settings.db_pool_size,
            max_overflow=0,
            # Shorter than any deadline: a pool that is only busy must not look like a database that is silent.
            pool_timeout=_POOL_WAIT_S,
            pool_pre_ping=True,
            pool_reset_on_return=None,
            connect_args={
                "application_name": "artifacts-backend",
                "connect_timeout": 2,
                # The server gives up before we do: a statement that we stopped waiting for must not commit later.
                "options": f"-c statement_timeout={int(settings.db_deadline_s * 900)}",
            },
        )

    async def run(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, what: str, deadline_s: float | None = None
    ) -> T:
        """Do some work on a pooled connection, or say in time that it cannot be done.

        Args:
            work: receives the connection.
            what: named in logs and errors.
            deadline_s: seconds for connecting and working; the settings' deadline when not given.

        Raises:
            DatabaseUnavailable: no connection, no answer in time, or the connection broke.
        """
        limit_s = self._deadline_s if deadline_s is None else deadline_s
        try:
            return await within(limit_s, self._use(work), what=what)
        except DeadlineExceeded as late:
            # A link that went silent stays silent for the connections that were open on it: start with new ones.
            await self._engine.dispose()
            _log.warning("attempt_failed target=postgres cause=timeout what=%r error=%r", what, str(late))
            raise DatabaseUnavailable(str(late)) from late
        except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError) as gone:
            first_line = str(gone).splitlines()[0]
            _log.warning("attempt_failed target=postgres cause=unreachable what=%r error=%r", what, first_line)
            raise DatabaseUnavailable(first_line) from gone

    async def _use(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async with self._engine.connect() as connection:
            return await work(connection)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self._engine.dispose()
