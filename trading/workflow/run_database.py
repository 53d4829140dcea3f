"""The workflow's own way to Postgres: orders, trades and runs, each in its own transaction, under a deadline."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg
from psycopg.rows import DictRow, dict_row

from trading.deadline import within
from trading.workflow.causes import cause_of
from trading.workflow.errors import RunDatabaseUnavailable
from trading.workflow.events import attempt_failed, get_events
from trading.workflow.settings import WorkflowSettings

T = TypeVar("T")
Connection = psycopg.AsyncConnection[DictRow]

log = get_events(__name__)

_ATTEMPT_S = 4.0
_WAIT_MAX_S = 1.0


class RunDatabase:
    """One connection, made when it is first needed and made anew when it breaks.

    Use it as an asynchronous context manager, one for a task. Work may be tried again after an attempt whose commit was
    not confirmed, so every piece of work must come to the same when it is done twice.

    Args:
        settings: where the database is.
        budget_s: seconds for one piece of work, with all its attempts and waits; a first attempt is always made.
    """

    def __init__(self, settings: WorkflowSettings, *, budget_s: float) -> None:
        self._budget_s = budget_s
        self._url = str(settings.database_url).replace("postgresql+psycopg://", "postgresql://", 1)
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._drop()

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, what: str, budget_s: float | None = None) -> T:
        """Do some work in one transaction, and try again while the database cannot be used.

        Args:
            work: receives the connection; its statements are one transaction.
            what: named in logs and errors.
            budget_s: seconds for this piece, when it is not the usual time.

        Raises:
            RunDatabaseUnavailable: no attempt succeeded in time.
        """
        ends_s = time.monotonic() + (self._budget_s if budget_s is None else budget_s)
        attempt = 0
        while True:
            attempt += 1
            started_s = time.monotonic()
            try:
                return await within(_ATTEMPT_S, self._transaction(work), what=what)
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                await self._drop()
                now_s = time.monotonic()
                attempt_failed(
                    log, "postgres", cause_of(error), attempt=attempt, elapsed_s=now_s - started_s, error=error
                )
                wait_s = random.uniform(0.05, min(_WAIT_MAX_S, 0.1 * 2**attempt))  # noqa: S311 - jitter, not a secret
                if now_s + wait_s >= ends_s:
                    raise RunDatabaseUnavailable(f"{what}: {' '.join(str(error).split())}") from error
                await asyncio.sleep(wait_s)

    async def _transaction(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                row_factory=dict_row,
                connect_timeout=3,
                application_name="trading-workflow",
                options=f"-c statement_timeout={int(_ATTEMPT_S * 900)}",
            )
        async with self._connection.transaction():
            return await work(self._connection)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def json_row(row: DictRow | None) -> dict[str, Any]:
    """Require that a statement returned a row.

    Raises:
        LookupError: it returned none.
    """
    if row is None:
        raise LookupError("the statement returned no row")
    return row
