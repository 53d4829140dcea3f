# ruff: noqa: INP001 - Airflow loads it by its path, not as part of a package
"""Loaded by Airflow's processes when this folder is on PYTHONPATH.

The scheduler forks a process for each task. What it has imported before, no task has to import again: a run of nine
tasks takes half the time. Nothing here opens a connection or starts a thread, which a fork would not survive.
"""

from __future__ import annotations

import sys


def _import_once() -> None:
    # What Airflow itself loads anew in every task to read the DAG and run a Python function.
    import airflow.dag_processing.bundles.local  # noqa: PLC0415 - imported for the processes that are forked later
    import airflow.providers.standard.decorators.python  # noqa: PLC0415 - as above
    import airflow.sdk.execution_time.timeout  # noqa: F401, PLC0415 - as above
    import httpx  # noqa: F401, PLC0415 - as above
    import jsonschema  # noqa: F401, PLC0415 - as above; every task checks the run's parameters with it
    import psycopg  # noqa: F401, PLC0415 - as above
    import structlog  # noqa: F401, PLC0415 - as above

    from trading.workflow import (  # noqa: PLC0415 - as above
        artifact_storage,
        charts,
        market_calendar,
        notify,
        preflight_checks,
        tasks,  # noqa: F401 - as above
    )

    # The first drawing of a process reads fonts and styles, which takes twice as long as the drawing itself.
    charts.warm_up()
    artifact_storage.warm_up()
    notify.warm_up()
    market_calendar.warm_up()
    preflight_checks.schema_head()


# The other processes run no tasks, and would only start later and grow by 100 MB.
if "scheduler" in sys.argv:
    _import_once()
