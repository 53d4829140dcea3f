"""Whether the database has the schema that the migrations make."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from trading.backend import migrations
from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings

FIX = "DATABASE_URL must name the backend's database; start the backend, which brings the schema to its head"
_SHOWN = 8

# A table's columns, constraints and indexes, each as one text without the schema's name.
_OBJECTS = """
    SELECT table_name || '.' || column_name || ' ' || data_type
        || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL
    SELECT relname || ' ' || pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint
    JOIN pg_class ON pg_class.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
    -- The columns tell already what may not be null.
    WHERE nspname = current_schema() AND contype <> 'n'
    UNION ALL
    SELECT replace(indexdef, ' ON ' || quote_ident(schemaname) || '.', ' ON ') FROM pg_indexes
    WHERE schemaname = current_schema()
"""


async def examine(at: Surroundings) -> Finding:
    """Play the migrations in a schema of their own, in a transaction that is taken back, and compare."""
    rest = str(at.settings.database_url).split("://", 1)[1]
    engine = create_async_engine(
        f"postgresql+psycopg://{rest}", poolclass=NullPool, connect_args={"connect_timeout": max(2, int(at.deadline_s))}
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_compare)
    except DBAPIError as error:
        return failed(f"the database cannot be asked: {str(error.orig).splitlines()[0]}", FIX)
    finally:
        await engine.dispose()


def _compare(connection: Connection) -> Finding:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    wanted = ScriptDirectory.from_config(config).get_current_head()
    step = _step(connection)
    if step != wanted:
        return failed(f"the schema is at step {step or 'none'}, and the migrations at {wanted}", FIX)
    found = set(_objects(connection))
    try:
        expected = set(_expected(connection, config))
    except DBAPIError as error:
        words = f"at step {step}; not compared in detail: {str(error.orig).splitlines()[0]}"
        return warned(words, "let the database's user create schemas, so that the migrations can be played")
    missing, more = sorted(expected - found, key=_columns_first), sorted(found - expected, key=_columns_first)
    if missing:
        lines = [f"missing: {each}" for each in missing[:_SHOWN]] + [f"instead: {each}" for each in more[:_SHOWN]]
        fix = "the tables were changed by hand: change them back, or write a migration"
        return failed("\n".join([f"at step {step}, and {len(missing)} things differ", *lines]), fix)
    return passed(f"at step {step}, and as the migrations make it ({len(expected)} columns, constraints and indexes)")


def _columns_first(object_: str) -> tuple[bool, str]:
    return object_.startswith("CREATE"), object_


def _step(connection: Connection) -> str:
    if not connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
        return ""
    return ", ".join(connection.scalars(text("SELECT version_num FROM alembic_version ORDER BY 1")))


def _objects(connection: Connection) -> Sequence[str]:
    return connection.scalars(text(_OBJECTS)).all()


def _expected(connection: Connection, config: Config) -> Sequence[str]:
    scratch = f"doctor_{uuid.uuid4().hex}"
    try:
        connection.execute(text(f"CREATE SCHEMA {scratch}"))
        connection.execute(text(f"SET LOCAL search_path = {scratch}"))
        command.upgrade(config, "head")
        return _objects(connection)
    finally:
        connection.rollback()
