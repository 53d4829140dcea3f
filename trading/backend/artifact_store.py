"""The statements behind the artifacts API, one a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from trading.backend.models import ArtifactIn, ArtifactOut, ArtifactPatch, ArtifactStats
from trading.backend.tables import artifacts

_ROW = [column for column in artifacts.c if column.name != "idempotency_key"]


@dataclass(frozen=True, slots=True)
class Stored:
    """An artifact and whether this request is the one that made it."""

    artifact: ArtifactOut
    created: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which artifacts a listing asks for; None matches every value."""

    type: str | None = None
    symbol: str | None = None
    execution_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The listing's WHERE, as SQLAlchemy conditions."""
        asked = (("type", self.type), ("symbol", self.symbol), ("execution_id", self.execution_id))
        return [artifacts.c[name] == value for name, value in asked if value is not None]


@dataclass(frozen=True, slots=True)
class Page:
    """What a listing found: one page, and the true totals."""

    artifacts: list[ArtifactOut]
    total: int
    executions: int


def _out(row: Row[Any]) -> ArtifactOut:
    return ArtifactOut.model_validate(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def _values(body: ArtifactIn | ArtifactPatch, *, only_set: bool) -> dict[str, object]:
    values: dict[str, object] = body.model_dump(mode="json", exclude_unset=only_set)
    for text, length in (("prompt", "prompt_length"), ("response", "response_length")):
        given = values.get(text)
        if isinstance(given, str) and values.get(length) is None:
            values[length] = len(given)
    return values


async def store(connection: AsyncConnection, body: ArtifactIn, idempotency_key: str | None) -> Stored:
    """Store an artifact, or find the one that the same key stored before.

    Args:
        connection: in autocommit.
        body: the artifact.
        idempotency_key: what makes a repeat recognisable; None stores without asking.
    """
    values = _values(body, only_set=False)
    if idempotency_key is None:
        made = await connection.execute(insert(artifacts).values(**values).returning(*_ROW))
        return Stored(_out(made.one()), created=True)
    statement = upsert(artifacts).values(**values, idempotency_key=idempotency_key)
    statement = statement.on_conflict_do_nothing(index_elements=["idempotency_key"])
    row: Row[Any] | None = None
    # The second round is for a row that was deleted between our INSERT and our SELECT.
    for _ in range(2):
        row = (await connection.execute(statement.returning(*_ROW))).one_or_none()
        if row is not None:
            return Stored(_out(row), created=True)
        first = await connection.execute(select(*_ROW).where(artifacts.c.idempotency_key == idempotency_key))
        row = first.one_or_none()
        if row is not None:
            return Stored(_out(row), created=False)
    raise LookupError(f"the artifact with the key {idempotency_key} is deleted as often as it is stored")


async def read(connection: AsyncConnection, artifact_id: int) -> ArtifactOut | None:
    """Read one artifact."""
    row = (await connection.execute(select(*_ROW).where(artifacts.c.id == artifact_id))).one_or_none()
    return None if row is None else _out(row)


async def change(connection: AsyncConnection, artifact_id: int, body: ArtifactPatch) -> ArtifactOut | None:
    """Change the fields that the body sets, and nothing else."""
    values = _values(body, only_set=True)
    statement = update(artifacts).where(artifacts.c.id == artifact_id).values(**values, updated_at=func.now())
    row = (await connection.execute(statement.returning(*_ROW))).one_or_none()
    return None if row is None else _out(row)


async def remove(connection: AsyncConnection, artifact_id: int) -> bool:
    """Delete one artifact; False when there was none."""
    gone = await connection.execute(delete(artifacts).where(artifacts.c.id == artifact_id))
    return gone.rowcount > 0


async def listing(connection: AsyncConnection, wanted: Wanted, *, limit: int, cursor: int | None) -> Page:
    """Read one page of artifacts, newest first, with the totals of all pages.

    Args:
        connection: in autocommit.
        wanted: the filter.
        limit: rows on the page at most.
        cursor: only rows older than the one with this id.
    """
    conditions = wanted.conditions()
    count = select(func.count(), func.count(artifacts.c.execution_id.distinct())).select_from(artifacts)
    total, executions = (await connection.execute(count.where(*conditions))).one()
    if cursor is not None:
        conditions.append(artifacts.c.id < cursor)
    rows = await connection.execute(select(*_ROW).where(*conditions).order_by(artifacts.c.id.desc()).limit(limit))
    return Page([_out(row) for row in rows], total, executions)


async def stats(connection: AsyncConnection) -> ArtifactStats:
    """Count artifacts by type and by symbol."""
    by_type = await connection.execute(select(artifacts.c.type, func.count()).group_by(artifacts.c.type))
    types = {kind: count for kind, count in by_type}  # noqa: C416 - rows are not pairs to the type checker
    by_symbol = await connection.execute(
        select(artifacts.c.symbol, func.count()).where(artifacts.c.symbol.is_not(None)).group_by(artifacts.c.symbol)
    )
    symbols = {symbol: count for symbol, count in by_symbol}  # noqa: C416 - as above
    executions = await connection.scalar(select(func.count(artifacts.c.execution_id.distinct())))
    return ArtifactStats(total=sum(types.values()), by_type=types, by_symbol=symbols, executions=int(executions or 0))
