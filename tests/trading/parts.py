"""What a test of the workflow works with: addresses, settings, and plain looks into the database."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, cast

import httpx
import psycopg
from psycopg.rows import dict_row

from trading.workflow.task_context import TaskContext

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Parts:
    """The running parts.

    Args:
        database_url: the database that the backend has migrated.
        database_port: the server's.
        backend_url: the artifacts API.
        gateway_port: the gateway stub's.
        gateway_control: the address of its control port.
        notifications: the address of the notification sink.
        analysis: the address of the analysis service.
    """

    database_url: str
    database_port: int
    backend_url: str
    gateway_port: int
    gateway_control: str
    notifications: str
    analysis: str

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Read from the database, past all of our own code."""
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(cast("Any", statement), values).fetchall()

    def artifacts(self, execution_id: str) -> list[str]:
        """The names of a run's artifacts, in the order of their storing."""
        rows = self.rows("SELECT name FROM artifacts WHERE execution_id = %s ORDER BY id", execution_id)
        return [row["name"] for row in rows]

    def gateway_orders(self) -> list[dict[str, Any]]:
        """The orders that the gateway has had since its reset."""
        answer = httpx.get(f"{self.gateway_control}/orders", trust_env=False).json()
        return cast("list[dict[str, Any]]", answer["orders"])

    def told(self, execution_id: str) -> list[str]:
        """The notifications of a run."""
        answer = httpx.get(f"{self.notifications}/messages", trust_env=False).json()
        bodies = [message["body"] for message in answer["messages"]]
        return [str(body) for body in bodies if f"execution_id: {execution_id}" in body.get("message", "").splitlines()]


def new_run() -> str:
    """A run that no other test has."""
    return f"test__{next(_numbers)}__+00:00"


def task(execution_id: str, task_id: str = "generate_daily_chart") -> TaskContext:
    """A task of a run."""
    return TaskContext(execution_id, "ibkr_trading_signal_workflow", task_id)
