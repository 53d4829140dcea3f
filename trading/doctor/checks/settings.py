"""Whether the workflow's settings can be used."""

from __future__ import annotations

from trading.doctor.finding import Finding, failed, passed
from trading.doctor.surroundings import Surroundings


async def examine(at: Surroundings) -> Finding:
    """Say which setting is wrong."""
    problems = [problem for problem in (at.settings_problem, at.airflow_problem) if problem]
    if problems:
        return failed("; ".join(problems), "correct these variables in the environment, and run this again")
    settings = at.settings
    return passed(
        f"backend {settings.backend_api_url}, gateway {settings.ibkr_host}:{settings.ibkr_port},"
        f" spool {settings.artifact_spool_dir}"
    )
