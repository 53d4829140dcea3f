"""Where the harness asks the system and its surroundings what happened: addresses, and queries of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AirflowAdapter(_Strict):
    """The Airflow that runs the workflow.

    Args:
        url: names a service of the stack and its port.
        tasks_run_in: the service whose workers run the tasks.
    """

    url: str
    tasks_run_in: str
    api: Literal["v2"] = "v2"
    username: str
    password: str
    dag: str


class GatewayAdapter(_Strict):
    """The gateway stub's control port, whose ledger is the witness for orders."""

    control: str


class NotificationsAdapter(_Strict):
    """The notification sink, whose record is the witness for alerts."""

    url: str


class ArtifactsAdapter(_Strict):
    """How artifacts are read, and what each task that ended well must have left.

    Args:
        sql: a query for execution_id, task_id, type, symbol, name: one row an artifact.
        per_symbol: for each task, the types it stores for each symbol of the run.
        per_run: for each task, the types it stores once a run.
    """

    sql: str
    per_symbol: dict[str, list[str]] = Field(default_factory=dict)
    per_run: dict[str, list[str]] = Field(default_factory=dict)


class OrdersAdapter(_Strict):
    """How the system's own record of its orders is read.

    Args:
        sql: a query for order_ref, execution_id, symbol, action, quantity, status, perm_id, filled, avg_price.
        statuses: for each of the broker's final states, how the system's record may call it.
        never_sent: what the record calls an order that was never sent.
        unknown: what the record calls an order whose fate could not be found out.
    """

    sql: str
    statuses: dict[str, list[str]]
    never_sent: list[str] = Field(default_factory=list)
    unknown: list[str] = Field(default_factory=list)


class OutcomeAdapter(_Strict):
    """How a run's own word on its outcome is read: a query for execution_id, outcome, reasons."""

    sql: str


class DatabaseAdapter(_Strict):
    """The system's database. ``keep`` names the tables that a reset leaves as they are."""

    dsn: str
    keep: list[str] = Field(default_factory=list)


class TrafficAdapter(_Strict):
    """How a client's own log tells of a call over a link: a regular expression for the lines about that link."""

    link: str
    log: str


class Adapters(_Strict):
    """All of them."""

    airflow: AirflowAdapter
    gateway: GatewayAdapter
    notifications: NotificationsAdapter
    database: DatabaseAdapter
    artifacts: ArtifactsAdapter
    orders: OrdersAdapter
    outcome: OutcomeAdapter
    traffic: list[TrafficAdapter] = Field(default_factory=list)
