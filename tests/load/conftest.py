"""Runs under load, as Locust tells of them."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.load.job import RunRecord


def good(number: int, took_s: float = 3.0) -> RunRecord:
    """A run that succeeded."""
    return RunRecord(
        run_id=f"load__{number}",
        began_at=datetime(2026, 11, 23, tzinfo=UTC),
        took_s=took_s,
        state="success",
        outcome="success",
    )


def bad(number: int, took_s: float = 1.0) -> RunRecord:
    """A run that failed."""
    return good(number, took_s).model_copy(
        update={"state": "failed", "outcome": "failed", "cause": "Airflow has the run as failed"}
    )
