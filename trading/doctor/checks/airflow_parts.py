"""Whether Airflow's parts are alive."""

from __future__ import annotations

from trading.doctor.airflow_api import AirflowApi, AirflowProblem
from trading.doctor.finding import Finding, failed, passed
from trading.doctor.surroundings import Surroundings

FIX = "restart what is not healthy: airflow scheduler, airflow dag-processor, or Airflow's database"


async def examine(at: Surroundings) -> Finding:
    """Ask for the health of each part."""
    try:
        async with AirflowApi(at.airflow) as airflow:
            health = await airflow.health()
    except AirflowProblem as problem:
        return failed(str(problem), problem.fix)
    parts = {
        "metadatabase": health.metadatabase,
        "scheduler": health.scheduler,
        "dag-processor": health.dag_processor,
    }
    sick = [f"{name} is {part.status or 'not there'}" for name, part in parts.items() if part.status != "healthy"]
    if sick:
        return failed(", ".join(sick), FIX)
    return passed(f"{', '.join(parts)} are healthy")
