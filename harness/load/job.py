"""What the harness hands to Locust, and what Locust hands back: two files of JSON."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from harness.load.plan import LoadPlan
from harness.validated import Strict


class LoadJob(Strict):
    """All that Locust needs to know. It holds passwords: the file is for this user alone, and goes with the session.

    Args:
        plan: how much load.
        api: the version of Airflow's API.
        dag: the workflow's id in Airflow.
        username: a user of Airflow who may start runs.
        password: that user's password.
        dsn: the system's database.
        outcome_sql: the query for what the system itself says of its runs.
        records: the file for a line a run.
    """

    plan: LoadPlan
    api: Literal["v1", "v2"] = "v2"
    dag: str
    username: str
    password: str
    dsn: str
    outcome_sql: str
    records: Path


class RunRecord(Strict):
    """One run of the workflow under load.

    Args:
        run_id: Airflow's id of it.
        began_at: when it was asked for.
        took_s: from then until its end was seen, or until it was given up.
        state: Airflow's word at the end; None when the run could not be started or did not end in time.
        outcome: the system's own word at the end; None when there is none.
        cause: why it did not succeed; empty when it did.
    """

    run_id: str
    began_at: datetime
    took_s: float
    state: str | None = None
    outcome: str | None = None
    cause: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether Airflow and the system itself both say so."""
        return self.state == "success" and self.outcome == "success" and not self.cause
