"""Where the harness asks the system and its surroundings what happened: addresses, and queries of its own."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

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
    """The gateway stub's control port, whose ledger is the witness for orders, and which takes orders for faults."""

    control: str

    @property
    def service(self) -> str | None:
        """The service that it names."""
        return urlsplit(self.control).hostname


class NotificationsAdapter(Strict):
    """The notification sink, whose record is the witness for alerts."""

    url: str


class ArtifactsAdapter(Strict):
    """How artifacts are read, and what each task that ended well must have left.

    Args:
        sql: a query for execution_id, task_id, type, symbol, name: one row an artifact. Every further column is of its
            contents, which are held against those of the steady run.
        http: in its place, an HTTP API that lists them.
        per_symbol: for each task, the types it stores for each symbol of the run.
        per_run: for each task, the types it stores once a run.
        varies: what of the contents differs from run to run by nature (ids, times), as dotted paths that begin with
            the column; ``*`` stands for any key or place. The run's own id is never taken for a difference.
        substitute: the column that says that an artifact stands in place of what could not be had: a run that says that
            it is degraded may have it with other contents.
    """

    sql: str | None = None
    http: HttpArtifacts | None = None
    per_symbol: dict[str, list[str]] = Field(default_factory=dict)
    per_run: dict[str, list[str]] = Field(default_factory=dict)
    varies: list[str] = Field(default_factory=list)
    substitute: str | None = None

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


class SignalsAdapter(Strict):
    """How the system's decisions are read.

    Args:
        sql: a query for execution_id, symbol, action, actionable (whether an order may follow), and as far as the
            system keeps them quantity and data_as_of (the day of the newest data that the decision rests on).
        gates: the tasks that must have ended well in a run before it may order.
        sessions_old: how many sessions may lie between that data and the order.
    """

    sql: str
    gates: list[str] = Field(default_factory=list)
    sessions_old: int = Field(default=1, ge=0, le=30)


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


class OutboxAdapter(Strict):
    """How one reads what the system still holds back of what it has accepted.

    Args:
        sql: a query for name and state, which is ``waiting``, ``dead`` or ``stranded``.
        service: in its place, the service beside which ``run`` runs.
        run: a command that prints a JSON object, and in it lists.
        waiting: the dotted path of the list of what is to be delivered yet.
        dead: the same for what will never be.
        stranded: the same for where more lies that nothing will ever deliver.
    """

    sql: str | None = None
    service: str | None = None
    run: list[str] = Field(default_factory=list)
    waiting: str | None = None
    dead: str | None = None
    stranded: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> OutboxAdapter:
        if (self.sql is None) == (self.service is None) or bool(self.run) != (self.service is not None):
            raise ValueError("an outbox is read by sql, or by run beside a service: name one of them")
        if self.service is not None and not (self.waiting or self.dead or self.stranded):
            raise ValueError("say where the command's answer lists what: waiting, dead, or stranded")
        return self


class ScheduleAdapter(Strict):
    """When the workflow runs by itself.

    Args:
        cron: five fields.
        timezone: in which they are meant.
        calendar: the exchange on whose closed days nothing runs, as exchange-calendars calls it (``XNYS``).
        late_s: how long after its tick a run may come.
    """

    cron: str
    timezone: str = "UTC"
    calendar: str | None = None
    late_s: float = Field(default=60, gt=0, le=3600)


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
    """All that the stack has. What is left out cannot be asked, and a promise that needs it cannot be checked.

    Args:
        consistent: rules about rows that must agree, each a query that finds those that do not.
    """

    airflow: AirflowAdapter | None = None
    workload: Workload | None = None
    gateway: GatewayAdapter | None = None
    notifications: NotificationsAdapter | None = None
    database: DatabaseAdapter | None = None
    artifacts: ArtifactsAdapter | None = None
    orders: OrdersAdapter | None = None
    signals: SignalsAdapter | None = None
    outcome: OutcomeAdapter | None = None
    outbox: OutboxAdapter | None = None
    schedule: ScheduleAdapter | None = None
    consistent: dict[ProbeName, str] | None = None
    operations: OperationsAdapter | None = None
    probes: dict[ProbeName, Probe] = Field(default_factory=dict)
    traffic: list[TrafficAdapter] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fit_together(self) -> Adapters:
        if (self.airflow is None) == (self.workload is None):
            raise ValueError("what counts as a run is said by airflow or by workload: name one of them")
        if self.database is None:
            asking: dict[str, object] = {each: getattr(self, each) for each in ("orders", "outcome", "signals")}
            asking |= {
                each: getattr(getattr(self, each), "sql", None) for each in ("artifacts", "operations", "outbox")
            }
            asking["consistent"] = self.consistent
            asking |= {f"probes.{name}": isinstance(probe, SqlPromise) for name, probe in self.probes.items()}
            for name, asks in asking.items():
                if asks:
                    raise ValueError(f"{name} asks SQL, and nothing says which database: name it under database")
        if self.operations is not None and (self.workload is None or self.workload.http is None):
            raise ValueError("operations are those of a workload of http: without one there are none")
        return self
