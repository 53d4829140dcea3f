"""Every check, in the order of the report."""

from __future__ import annotations

from trading.doctor.checks import (
    airflow_parts,
    artifact_round_trip,
    backend_log,
    backend_ready,
    dag_imports,
    gateway,
    schedule,
    schema,
    settings,
    silenced_exceptions,
    spool,
    workers,
)
from trading.doctor.examination import Check

CHECKS = (
    Check("settings", settings.examine, "look at what the error names", on_workers=True),
    Check("backend", backend_ready.examine, backend_ready.FIX, on_workers=True),
    Check("artifact round trip", artifact_round_trip.examine, artifact_round_trip.FIX),
    Check("schema", schema.examine, schema.FIX, on_workers=True),
    Check("backend's log", backend_log.examine, backend_log.FIX),
    Check("silenced exceptions", silenced_exceptions.examine, silenced_exceptions.FIX, deadline_s=20),
    Check("schedule", schedule.examine, schedule.FIX),
    Check("Airflow's parts", airflow_parts.examine, airflow_parts.FIX),
    Check("DAG imports", dag_imports.examine, dag_imports.FIX),
    Check("workers", workers.examine, workers.FIX, deadline_s=workers.RUN_S, unwind_s=workers.FORGET_S),
    Check("gateway", gateway.examine, gateway.FIX, on_workers=True),
    Check("spool", spool.examine, spool.FIX, on_workers=True),
)
