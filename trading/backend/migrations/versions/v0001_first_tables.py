"""Artifacts, orders, trades and runs.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE artifacts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        type text NOT NULL CHECK (type IN ('llm', 'chart', 'signal', 'order', 'trade', 'portfolio', 'market_data')),
        symbol text,
        run_id text,
        experiment_id text,
        workflow_id text,
        execution_id text,
        step_name text,
        dag_id text,
        task_id text,
        prompt text,
        response text,
        prompt_length integer,
        response_length integer,
        model_name text,
        image_path text,
        chart_type text,
        chart_data jsonb,
        action text,
        confidence double precision CHECK (confidence BETWEEN 0 AND 1),
        signal_data jsonb,
        metadata jsonb,
        idempotency_key text UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX artifacts_execution_id ON artifacts (execution_id, id)",
    "CREATE INDEX artifacts_symbol_type ON artifacts (symbol, type, id)",
    """
    CREATE TABLE orders (
        order_ref text PRIMARY KEY,
        execution_id text NOT NULL,
        symbol text NOT NULL,
        action text NOT NULL CHECK (action IN ('BUY', 'SELL')),
        quantity numeric NOT NULL CHECK (quantity > 0),
        order_type text NOT NULL,
        status text NOT NULL CHECK (status IN
            ('INTENT', 'SUBMITTED', 'FILLED', 'PARTIAL', 'REJECTED', 'CANCELLED', 'UNKNOWN', 'NOT_SENT')),
        perm_id bigint,
        filled numeric NOT NULL DEFAULT 0,
        avg_price numeric,
        reason text,
        client_id integer,
        send_token uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX orders_execution_id ON orders (execution_id)",
    """
    CREATE TABLE trades (
        exec_id text PRIMARY KEY,
        order_ref text NOT NULL,
        execution_id text NOT NULL,
        perm_id bigint NOT NULL,
        symbol text NOT NULL,
        side text NOT NULL,
        shares numeric NOT NULL,
        price numeric NOT NULL,
        commission numeric,
        executed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX trades_execution_id ON trades (execution_id)",
    "CREATE INDEX trades_order_ref ON trades (order_ref)",
    """
    CREATE TABLE workflow_runs (
        execution_id text PRIMARY KEY,
        dag_id text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('running', 'success', 'degraded', 'failed')),
        reasons jsonb NOT NULL DEFAULT '[]',
        started_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        notified_at timestamptz
    )
    """,
    """
    CREATE TABLE run_notes (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        execution_id text NOT NULL,
        task_id text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('degraded', 'failed')),
        cause text NOT NULL,
        noted_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (execution_id, task_id, kind, cause)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in ("run_notes", "workflow_runs", "trades", "orders", "artifacts"):
        op.execute(f"DROP TABLE {table}")
