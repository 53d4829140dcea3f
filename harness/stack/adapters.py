"""Where the harness asks the system and its surroundings what happened: addresses, and queries of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.stack.http_list import HttpArtifacts, HttpList
from harness.stack.probes import Probe, ProbeName, SqlPromise
from harness.stack.workload import Workload
from harness.validated import Strict


class AirflowAdapter(Strict):
    """The Airflow that runs the workflow.

    Args:
        url: names a service of the stack and its port.
        tasks_run_in: the service whose workers run the tasks.
        api: its stable REST API: v1 of Airflow 2 (with basic authentication), v2 of Airflow 3.
    """

    url: str
    tasks_run_in: str
    api: Literal["v1", "v2"] = "v2"
    username: str
    password: str
    dag: str


class GatewayAdapter(Strict):
    """The gateway stub's control port, whose ledger is the witness for orders."""

    control: str


class NotificationsAdapter(Strict):
    """The notification sink, whose record is the witness for alerts."""

    url: str


class ArtifactsAdapter(Strict):
    """How artifacts are read, and what each task that ended well must have left.

    Args:
        sql: a query for execution_id, task_id, type, symbol, name: one row an artifact.
        http: in its place, an HTTP API that lists them.
        per_symbol: for each task, the types it stores for each symbol of the run.
        per_run: for each task, the types it stores once a run.
    """

    sql: str | None = None
    http: HttpArtifacts | None = None
    per_symbol: dict[str, list[str]] = Field(default_factory=dict)
    per_run: dict[str, list[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> ArtifactsAdapter:
        if (self.sql is None) == (self.http is None):
            raise ValueError("artifacts are read by sql or by http: name one of them")
        return self


class OrdersAdapter(Strict):
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


class OutcomeAdapter(Strict):
    """How a run's own word on its outcome is read: a query for execution_id, outcome, reasons."""

    sql: str


class OperationsAdapter(Strict):
    """How what the workload's requests have left is read.

    Args:
        sql: a query, one row an operation.
        http: in its place, an HTTP API that lists them.
        id: the query's column, or the dotted path in a row, with the operation's id.
        within_s: how long what was acknowledged may take to appear, in a system that stores behind a queue.
    """

    sql: str | None = None
    http: HttpList | None = None
    id: str
    within_s: float = Field(default=0, ge=0, le=600)

    @model_validator(mode="after")
    def _one_source(self) -> OperationsAdapter:
        if (self.sql is None) == (self.http is None):
            raise ValueError("operations are read by sql or by http: name one of them")
        return self


class DatabaseAdapter(Strict):
    """The system's database.

    Args:
        dsn: names a service of the stack and its port.
        empty: whether a reset takes every row out of every table.
        keep: the tables that it leaves as they are.
    """

    dsn: str
    empty: bool = True
    keep: list[str] = Field(default_factory=list)


class TrafficAdapter(Strict):
    """How a client's own log tells of a call over a link: a regular expression for the lines about that link."""

    link: str
    log: str


class Adapters(Strict):
    """All that the stack has. What is left out cannot be asked, and a promise that needs it cannot be checked."""

    airflow: AirflowAdapter | None = None
    workload: Workload | None = None
    gateway: GatewayAdapter | None = None
    notifications: NotificationsAdapter | None = None
    database: DatabaseAdapter | None = None
    artifacts: ArtifactsAdapter | None = None
    orders: OrdersAdapter | None = None
    outcome: OutcomeAdapter | None = None
    operations: OperationsAdapter | None = None
    probes: dict[ProbeName, Probe] = Field(default_factory=dict)
    traffic: list[TrafficAdapter] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fit_together(self) -> Adapters:
        if (self.airflow is None) == (self.workload is None):
            raise ValueError("what counts as a run is said by airflow or by workload: name one of them")
        if self.database is None:
            asking: dict[str, object] = {"orders": self.orders, "outcome": self.outcome}
            asking |= {each: getattr(getattr(self, each), "sql", None) for each in ("artifacts", "operations")}
            asking |= {f"probes.{name}": isinstance(probe, SqlPromise) for name, probe in self.probes.items()}
            for name, asks in asking.items():
                if asks:
                    raise ValueError(f"{name} asks SQL, and nothing says which database: name it under database")
        if self.operations is not None and (self.workload is None or self.workload.http is None):
            raise ValueError("operations are those of a workload of http: without one there are none")
        return self
