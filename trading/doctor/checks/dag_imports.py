"""Whether every DAG file can be imported, and the workflow's DAG is there and not paused."""

from __future__ import annotations

from pathlib import PurePath

from trading.doctor.airflow_api import AirflowApi, AirflowProblem
from trading.doctor.finding import Finding, failed, passed, warned
from trading.doctor.surroundings import Surroundings

DAG_ID = "ibkr_trading_signal_workflow"
FIX = "look into the dag-processor's log"


async def examine(at: Surroundings) -> Finding:
    """Ask for import errors and for the DAG."""
    try:
        async with AirflowApi(at.airflow) as airflow:
            await airflow.log_in()
            failures = await airflow.import_failures()
            dag = await airflow.dag(DAG_ID)
    except AirflowProblem as problem:
        return failed(str(problem), problem.fix)
    if failures:
        lines = [f"{PurePath(each.filename).name}: {_last_line(each.stack_trace)}" for each in failures]
        return failed("\n".join(lines), "mend these files; the dag-processor reads them again by itself")
    if dag is None:
        return failed(f"Airflow does not know {DAG_ID}", "AIRFLOW__CORE__DAGS_FOLDER must be the folder trading/dags")
    if dag.is_paused:
        return warned(f"{DAG_ID} is paused: nothing runs by itself", f"airflow dags unpause {DAG_ID}")
    return passed(f"no import errors, and {DAG_ID} is not paused")


def _last_line(stack_trace: str) -> str:
    lines = [line.strip() for line in stack_trace.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no words"
