"""The artifacts table as SQLAlchemy sees it; the migrations are what makes it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("symbol", Text),
    Column("run_id", Text),
    Column("experiment_id", Text),
    Column("workflow_id", Text),
    Column("execution_id", Text),
    Column("step_name", Text),
    Column("dag_id", Text),
    Column("task_id", Text),
    Column("prompt", Text),
    Column("response", Text),
    Column("prompt_length", Integer),
    Column("response_length", Integer),
    Column("model_name", Text),
    Column("image_path", Text),
    Column("chart_type", Text),
    Column("chart_data", JSONB(none_as_null=True)),
    Column("action", Text),
    Column("confidence", Double),
    Column("signal_data", JSONB(none_as_null=True)),
    Column("metadata", JSONB(none_as_null=True)),
    Column("idempotency_key", Text, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
