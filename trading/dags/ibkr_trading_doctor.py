# ruff: noqa: INP001 - Airflow loads it by its path, not as part of a package
"""The doctor's DAG: one task that looks around where the workflow's tasks run; `python -m trading.doctor` runs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task

with DAG(
    dag_id="ibkr_trading_doctor",
    description="What the doctor finds in a worker; python -m trading.doctor runs it and reads the answer.",
    doc_md=__doc__,
    schedule=None,
    # It has nothing to do by itself, and would wait for ever if it were paused.
    is_paused_upon_creation=False,
    tags=["trading", "doctor"],
) as dag:

    @task(execution_timeout=timedelta(seconds=40))
    def examine() -> Any:
        """Make the checks that matter here, and return what they found."""
        # Imported late: the process that only parses this file need not load what talks to the gateway.
        from trading.doctor.worker import examine_here  # noqa: PLC0415

        return examine_here().model_dump(mode="json")

    examine()
