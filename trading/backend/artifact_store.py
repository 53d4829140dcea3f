"""The statements behind the artifacts API, one a request.

Postgres itself turns JSON into rows and rows into JSON: a row passes through here as text, and is never taken apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from trading.backend.models import ArtifactFields, ArtifactIn, ArtifactPatch
from trading.backend.pool import Connection

Keyed = tuple[str | None, ArtifactIn]

_GIVEN = [*ArtifactIn.model_fields]
_SHOWN = ["id", "name", "type", *ArtifactFields.model_fields, "created_at", "updated_at"]
_MATCHING = ("type", "symbol", "execution_id")
# What is counted when the request did not give it.
_LENGTHS = {"prompt_length": SQL("prompt"), "response_length": SQL("response")}

_ROW = SQL("json_build_object({})::text").format(
    SQL(", ").join(SQL("{}, {}").format(Literal(name), Identifier(name)) for name in _SHOWN)
)


def _or_counted(name: str) -> Composable:
    if name not in _LENGTHS:
        return Identifier(name)
    return SQL("coalesce({}, char_length({}))").format(Identifier(name), _LENGTHS[name])


# DO UPDATE, although it changes nothing: unlike DO NOTHING it returns the row that was there, and waits for one that is
# just being made. A row that this statement made has no xmax.
_STORE = (
    SQL("""
        INSERT INTO artifacts ({columns}, idempotency_key)
        SELECT {values}, idempotency_key FROM json_populate_recordset(NULL::artifacts, %s::json)
        ON CONFLICT (idempotency_key) DO UPDATE SET idempotency_key = excluded.idempotency_key
        RETURNING idempotency_key, xmax = 0, {row}
    """)
    .format(columns=SQL(", ").join(map(Identifier, _GIVEN)), values=SQL(", ").join(map(_or_counted, _GIVEN)), row=_ROW)
    .as_bytes()
)

_READ = SQL("SELECT image_path, {} FROM artifacts WHERE id = %s").format(_ROW).as_bytes()

_STATS = b"""
    WITH counted AS (SELECT type, symbol, count(*) AS n FROM artifacts GROUP BY type, symbol),
        types AS (SELECT type, sum(n) AS n FROM counted GROUP BY type ORDER BY type),
        symbols AS (SELECT symbol, sum(n) AS n FROM counted WHERE symbol IS NOT NULL GROUP BY symbol ORDER BY symbol)
    SELECT json_build_object(
        'total', (SELECT coalesce(sum(n), 0) FROM counted),
        'by_type', (SELECT coalesce(json_object_agg(type, n), '{}') FROM types),
        'by_symbol', (SELECT coalesce(json_object_agg(symbol, n), '{}') FROM symbols),
        'executions', (SELECT count(DISTINCT execution_id) FROM artifacts)
    )::text
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored artifact.

    Args:
        row: as JSON.
        created: whether this request made it.
    """

    row: str
    created: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An artifact that was looked for.

    Args:
        image_path: its chart, within the folder of charts.
        row: as JSON.
    """

    image_path: str | None
    row: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing asks for; None matches every value.

    Args:
        limit: rows on the page at most.
        cursor: only rows older than the one with this id.
        grouped: whether executions are to be counted, too.
    """

    type: str | None
    symbol: str | None
    execution_id: str | None
    limit: int
    cursor: int | None
    grouped: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What a listing found.

    Args:
        rows: the page's rows as JSON, newest first, each with its execution.
        total: how many match on all pages together.
        executions: how many executions those have.
        last_id: the id of the page's last row.
    """

    rows: list[tuple[str | None, str]]
    total: int
    executions: int
    last_id: int | None

    def as_json(self, wanted: Wanted) -> str:
        """The page as the API answers it."""
        next_cursor = self.last_id if len(self.rows) == wanted.limit else None
        parts = [f'"artifacts":[{",".join(row for _, row in self.rows)}]', f'"total":{self.total}']
        if wanted.grouped:
            groups: dict[str, list[str]] = {}
            for execution_id, row in self.rows:
                groups.setdefault(execution_id or "", []).append(row)
            grouped = ",".join(f"{json.dumps(name)}:[{','.join(rows)}]" for name, rows in groups.items())
            parts += [f'"grouped":{{{grouped}}}', f'"group_count":{self.executions}']
        return f'{{{",".join(parts)},"next_cursor":{json.dumps(next_cursor)}}}'


async def store(connection: Connection, artifacts: Sequence[Keyed]) -> list[Stored]:
    """Store artifacts, all or none of them; find the row of each key that was stored before.

    Args:
        connection: in autocommit.
        artifacts: each after its key; of those with the same key, the first counts. Only a single one may have none.

    Returns:
        What is stored, in the same order.
    """
    first: dict[str | None, ArtifactIn] = {}
    for key, artifact in artifacts:
        first.setdefault(key, artifact)
    rows = await _rows(connection, _STORE, (_json_of(first),))
    by_key = {key: (created, row) for key, created, row in rows}
    stored: list[Stored] = []
    for key, artifact in artifacts:
        created, row = by_key[key]
        stored.append(Stored(row, created and artifact is first[key]))
    return stored


def _json_of(artifacts: Mapping[str | None, ArtifactIn]) -> str:
    """The artifacts as a JSON array; a field that was not given is left out, so that the row has NULL in it."""
    texts: list[str] = []
    for key, artifact in artifacts.items():
        text = artifact.model_dump_json(exclude_unset=True)
        texts.append(f'{{"idempotency_key":{json.dumps(key)},{text[1:]}')
    return f"[{','.join(texts)}]"


async def try_to_store(connection: Connection, artifact: ArtifactIn) -> None:
    """Store an artifact, and take it back in the same transaction."""
    async with connection.transaction(force_rollback=True):
        await store(connection, [(None, artifact)])


async def read(connection: Connection, artifact_id: int) -> Found | None:
    """Read one artifact."""
    rows = await _rows(connection, _READ, (artifact_id,))
    return Found(*rows[0]) if rows else None


async def change(connection: Connection, artifact_id: int, patch: ArtifactPatch) -> str | None:
    """Change the fields that the patch sets, and nothing else."""
    given = patch.model_fields_set
    changed = given | {length for length, text in _LENGTHS.items() if text.as_string() in given}
    changes = [
        SQL("{} = (SELECT {} FROM given)").format(Identifier(name), _or_counted(name)) for name in sorted(changed)
    ]
    statement = SQL("""
        WITH given AS (SELECT * FROM json_populate_record(NULL::artifacts, %s::json))
        UPDATE artifacts SET {changes} WHERE id = %s RETURNING {row}
    """).format(changes=SQL(", ").join([*changes, SQL("updated_at = now()")]), row=_ROW)
    rows = await _rows(connection, statement, (patch.model_dump_json(exclude_unset=True), artifact_id))
    return rows[0][0] if rows else None


async def remove(connection: Connection, artifact_id: int) -> bool:
    """Delete one artifact; False when there was none."""
    return bool(await _rows(connection, b"DELETE FROM artifacts WHERE id = %s RETURNING id", (artifact_id,)))


async def listing(connection: Connection, wanted: Wanted) -> Page:
    """Read one page of artifacts, newest first, with the totals of all pages: in one statement, so that they agree."""
    matching = {name: value for name in _MATCHING if (value := getattr(wanted, name)) is not None}
    conditions = [SQL("true"), *(SQL("{} = {}").format(Identifier(name), Placeholder(name)) for name in matching)]
    statement = SQL("""
        SELECT total, executions, id, execution_id, row
        FROM (SELECT count(*) AS total, {executions} AS executions FROM artifacts WHERE {matching}) AS totals
        LEFT JOIN (
            SELECT id, execution_id, {row} AS row FROM artifacts WHERE {on_page} ORDER BY id DESC LIMIT %(limit)s
        ) AS page ON true
        ORDER BY id DESC
    """).format(
        executions=SQL("count(DISTINCT coalesce(execution_id, ''))" if wanted.grouped else "0"),
        matching=SQL(" AND ").join(conditions),
        on_page=SQL(" AND ").join([*conditions, *([SQL("id < %(cursor)s")] if wanted.cursor else [])]),
        row=_ROW,
    )
    rows = await _rows(connection, statement, {**matching, "cursor": wanted.cursor, "limit": wanted.limit})
    # A page without rows is one row with the totals alone.
    found = [row for row in rows if row[2] is not None]
    return Page([row[3:] for row in found], rows[0][0], rows[0][1], found[-1][2] if found else None)


async def stats(connection: Connection) -> str:
    """Count artifacts by type and by symbol; the answer is JSON."""
    rows = await _rows(connection, _STATS, ())
    return str(rows[0][0])


async def _rows(
    connection: Connection, statement: bytes | Composed, values: Mapping[str, object] | Sequence[object]
) -> list[Any]:
    cursor = await connection.execute(statement, values)
    return await cursor.fetchall()
