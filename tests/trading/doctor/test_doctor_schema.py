"""The doctor's line about the schema: at the migrations' head, and as they make it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from tests.trading.databases import empty_database, migrated_database
from tests.trading.doctor.examining import finding_of
from tests.trading.parts import Parts
from tests.trading.process import free_port
from trading.doctor.finding import Verdict
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


def change(url: str, statement: str) -> None:
    """Change a database by hand."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def schemas(url: str) -> list[str]:
    """The schemas of a database that are not Postgres's own."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
    return [str(name) for (name,) in found]


def test_schema_of_the_migrations_passes_and_is_left_as_it_was(parts: Parts, set_up: SetUp) -> None:
    """Comparing leaves nothing behind."""
    url = migrated_database(parts)
    set_up(database_url=url)
    found = finding_of("schema")
    assert found.verdict is Verdict.PASS, found
    assert schemas(url) == ["public"]


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("ALTER TABLE artifacts DROP COLUMN signal_data", "artifacts.signal_data jsonb"),
        ("ALTER TABLE artifacts ALTER COLUMN prompt TYPE varchar(100)", "artifacts.prompt text"),
        ("ALTER TABLE artifacts ALTER COLUMN name DROP NOT NULL", "artifacts.name text NOT NULL"),
        ("ALTER TABLE artifacts DROP CONSTRAINT artifacts_idempotency_key_key", "UNIQUE (idempotency_key)"),
        ("DROP TABLE trades", "trades.exec_id text NOT NULL"),
    ],
)
def test_schema_that_was_changed_by_hand_fails(parts: Parts, set_up: SetUp, statement: str, missing: str) -> None:
    """What the migrations made and is not there is named."""
    url = migrated_database(parts)
    change(url, statement)
    set_up(database_url=url)
    found = finding_of("schema")
    assert found.verdict is Verdict.FAIL
    assert missing in found.detail
    assert found.fix


def test_schema_with_more_than_the_migrations_passes(parts: Parts, set_up: SetUp) -> None:
    """A column or an index that was added by hand does no harm."""
    url = migrated_database(parts)
    change(url, "ALTER TABLE artifacts ADD COLUMN note text")
    set_up(database_url=url)
    assert finding_of("schema").verdict is Verdict.PASS


def test_schema_that_was_never_made_fails(parts: Parts, set_up: SetUp) -> None:
    """An empty database, as when the backend started before its own."""
    set_up(database_url=empty_database(parts))
    found = finding_of("schema")
    assert found.verdict is Verdict.FAIL
    assert "step none" in found.detail


def test_schema_at_another_step_fails(parts: Parts, set_up: SetUp) -> None:
    """The database of another version."""
    url = migrated_database(parts)
    change(url, "UPDATE alembic_version SET version_num = '0000'")
    set_up(database_url=url)
    found = finding_of("schema")
    assert found.verdict is Verdict.FAIL
    assert "step 0000" in found.detail


def test_schema_in_a_database_that_is_down_fails(set_up: SetUp) -> None:
    """No process listens there, and the password is not shown."""
    set_up(database_url=f"postgresql://ibkr_user:hidden-password@127.0.0.1:{free_port()}/ibkr_trading")
    found = finding_of("schema")
    assert found.verdict is Verdict.FAIL
    assert "DATABASE_URL" in found.fix
    assert "hidden-password" not in repr(found)


def test_schema_is_compared_as_far_as_the_user_may(parts: Parts, set_up: SetUp) -> None:
    """A user who may not create schemas gets a warning, not a failure."""
    url = migrated_database(parts)
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        role = sql.Identifier(f"reader_{name}")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'reader'").format(role))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
    set_up(database_url=url.replace("ibkr_user:secret", f"reader_{name}:reader"))
    found = finding_of("schema")
    assert found.verdict is Verdict.WARN
    assert "permission denied" in found.detail
