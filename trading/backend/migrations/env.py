"""What Alembic runs: the steps, in the transaction and on the connection that it is given."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

_LOCK = 4_002_8000


def run(connection: Connection) -> None:
    """Run the steps that are missing.

    Args:
        connection: inside a transaction, which the caller commits.
    """
    # Two backends that start together must not both create the tables.
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
