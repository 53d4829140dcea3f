"""The system's database, read by SQL that the stack's file gives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar, get_origin

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from pydantic import TypeAdapter, ValidationError

from harness.clients.contents import digests
from harness.errors import HarnessError
from harness.history.reads import ArtifactRow, OutcomeRow, RecordedOrder, SignalRow
from harness.stack.secrets import NO_SECRETS, found_in

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 5000
_ARTIFACT_COLUMNS = ("execution_id", "task_id", "type", "symbol", "name")
Row = TypeVar("Row")


class DatabaseUnreadable(HarnessError):
    """A query of the harness's own did not work."""


@dataclass(frozen=True, slots=True)
class ShownDsn:
    """A DSN as it may be shown.

    Args:
        address: a URL without user and password.
        user: as whom one logs in; None where it does not say.
        has_password: whether it brings one.
    """

    address: str
    user: str | None
    has_password: bool


def without_password(dsn: str) -> ShownDsn:
    """A DSN, in whichever form libpq takes, as it may be shown.

    Raises:
        DatabaseUnreadable: libpq would not take it.
    """
    try:
        said = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as cause:
        raise DatabaseUnreadable("the DSN of the system's database is none that libpq takes") from cause
    place = f"{said.get('host') or 'localhost'}:{said.get('port') or 5432}"
    user = said.get("user")
    return ShownDsn(
        address=f"postgresql://{place}/{said.get('dbname') or ''}",
        user=None if user is None else str(user),
        has_password="password" in said,
    )


class SystemDatabase:
    """The database at ``dsn``; every call opens a connection of its own, so that an outage leaves nothing stale."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def artifacts(
        self,
        query: str,
        varies: Sequence[str] = (),
        substitute: str | None = None,
        secrets: Mapping[str, str] = NO_SECRETS,
    ) -> tuple[ArtifactRow, ...]:
        """Every stored artifact; each further column of the query is of its contents.

        Args:
            query: gives execution_id, task_id, type, symbol, name, and contents.
            varies: what of the contents differs from run to run.
            substitute: the column that says that it stands in place of what could not be had.
            secrets: what gives each secret away, by its name.
        """
        found = await self._read(query, dict[str, object])
        return self._shaped(query, [_with_contents(row, varies, substitute, secrets) for row in found], ArtifactRow)

    @asynccontextmanager
    async def orders_again(self, query: str) -> AsyncIterator[Callable[[], Awaitable[tuple[RecordedOrder, ...]]]]:
        """Read the orders again and again over one connection, which a look every few milliseconds needs.

        Raises:
            DatabaseUnreadable: the connection was lost, or never made; also from a look.
        """
        try:
            async with await self._connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
                await connection.set_autocommit(True)

                async def look() -> tuple[RecordedOrder, ...]:
                    await cursor.execute(query.encode())
                    return self._shaped(query, await cursor.fetchall(), RecordedOrder)

                yield look
        except psycopg.Error as cause:
            raise DatabaseUnreadable(f"the record of orders could not be watched: {cause}", evidence=query) from cause

    async def signals(self, query: str) -> tuple[SignalRow, ...]:
        """Every decision that the system stored."""
        return await self._read(query, SignalRow)

    async def orders(self, query: str) -> tuple[RecordedOrder, ...]:
        """Every order that the system recorded."""
        return await self._read(query, RecordedOrder)

    async def outcomes(self, query: str) -> tuple[OutcomeRow, ...]:
        """What the system says of its runs."""
        return await self._read(query, OutcomeRow)

    async def rows(self, query: str) -> tuple[dict[str, object], ...]:
        """What any query finds."""
        return await self._read(query, dict[str, object])

    async def empty(self, keep: list[str]) -> None:
        """Take every row out of every table but those named in ``keep``.

        Raises:
            DatabaseUnreadable: it did not answer, or refused.
        """
        try:
            async with await self._connect() as connection:
                found = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                tables = [name for (name,) in await found.fetchall() if isinstance(name, str) and name not in keep]
                if tables:
                    names = sql.SQL(", ").join([sql.Identifier(table) for table in tables])
                    await connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
        except psycopg.Error as cause:
            raise DatabaseUnreadable(f"the system's database could not be reset: {cause}") from cause

    async def _connect(self) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            self._dsn,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={STATEMENT_TIMEOUT_MS}",
        )

    async def _read(self, query: str, row: type[Row]) -> tuple[Row, ...]:
        try:
            async with await self._connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(query.encode())
                found = await cursor.fetchall()
        except psycopg.Error as cause:
            raise DatabaseUnreadable(f"the query for {_what(row)} failed: {cause}", evidence=query) from cause
        return self._shaped(query, found, row)

    def _shaped(self, query: str, found: Sequence[Mapping[str, object]], row: type[Row]) -> tuple[Row, ...]:
        try:
            return TypeAdapter(tuple[row, ...]).validate_python(found)  # type: ignore[valid-type]
        except ValidationError as cause:
            raise DatabaseUnreadable(
                f"the query for {_what(row)} gives rows of another form: {cause}", evidence=query
            ) from cause


def _with_contents(
    row: Mapping[str, object], varies: Sequence[str], substitute: str | None, secrets: Mapping[str, str]
) -> dict[str, object]:
    known = {name: row[name] for name in _ARTIFACT_COLUMNS if name in row}
    further = {name: value for name, value in row.items() if name not in {*_ARTIFACT_COLUMNS, substitute}}
    run_id = row.get("execution_id")
    contents = digests(further, varies, run_id if isinstance(run_id, str) else None)
    text = json.dumps(row, ensure_ascii=False, default=str)
    is_substitute = bool(substitute and row.get(substitute))
    return {**known, "contents": contents, "substitute": is_substitute, "secrets": found_in(text, secrets)}


def _what(row: type[object]) -> str:
    return "rows" if get_origin(row) is dict else row.__name__
