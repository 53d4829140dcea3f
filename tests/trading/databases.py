"""Databases for tests that cannot share one."""

from __future__ import annotations

import asyncio
import uuid

import psycopg
from psycopg import sql
from pydantic import PostgresDsn

from tests.trading.parts import Parts
from trading.backend.migrate import Migration
from trading.backend.settings import BackendSettings

_MIGRATE_S = 30.0


def empty_database(parts: Parts) -> str:
    """Make a database on the tests' server, and return its address."""
    name = f"own_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(parts.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return parts.database_url.replace("/ibkr_trading", f"/{name}")


def migrated_database(parts: Parts) -> str:
    """Make a database with the schema at its head, and return its address; not for two threads at once."""
    url = empty_database(parts)
    migration = Migration(BackendSettings(database_url=PostgresDsn(url)))
    asyncio.run(asyncio.wait_for(migration.run(), _MIGRATE_S))
    return url
