"""What is found where the tasks run: the doctor's own DAG makes the checks there, in a worker."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

from pydantic import BaseModel, ConfigDict, ValidationError

from trading.doctor.airflow_api import AirflowApi, AirflowProblem
from trading.doctor.finding import Finding, Verdict, failed, worst
from trading.doctor.surroundings import Surroundings

DAG_ID = "ibkr_trading_doctor"
TASK_ID = "examine"
RUN_S = 60.0
# A run that was asked for is deleted, however the wait for it ended.
FORGET_S = 15.0
FIX = "the scheduler does not run tasks: see the line 'Airflow's parts', and the scheduler's log"
_POLL_S = 0.2


class ToldLine(BaseModel):
    """One line of a report that comes from a worker."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    check: str
    verdict: Verdict
    detail: str
    fix: str


class Told(BaseModel):
    """What a worker returns.

    Args:
        host: where it ran.
        lines: what it found.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    lines: list[ToldLine]


async def examine(at: Surroundings) -> Finding:
    """Run the doctor's DAG, read what its task returned, and delete the run."""
    try:
        async with AirflowApi(at.airflow) as airflow:
            await airflow.log_in()
            dag = await airflow.dag(DAG_ID)
            if dag is None:
                return failed(f"Airflow does not know {DAG_ID}", "copy trading/dags/ibkr_trading_doctor.py to its DAGs")
            if dag.is_paused:
                return failed(f"{DAG_ID} is paused", f"airflow dags unpause {DAG_ID}")
            run_id = f"doctor__{uuid.uuid4().hex}"
            asked = asyncio.ensure_future(airflow.trigger(DAG_ID, run_id))
            try:
                await asyncio.shield(asked)
                return await _told(airflow, run_id)
            finally:
                # A run that was asked for comes into being, also when this check does not wait for it any more.
                await asyncio.wait([asked])
                await _forget(airflow, run_id)
    except AirflowProblem as problem:
        return failed(str(problem), problem.fix)


async def _forget(airflow: AirflowApi, run_id: str) -> None:
    with contextlib.suppress(AirflowProblem):
        # The log of one that failed is still needed.
        if await airflow.run_state(DAG_ID, run_id) != "failed":
            await airflow.forget(DAG_ID, run_id)


async def _told(airflow: AirflowApi, run_id: str) -> Finding:
    while (state := await airflow.run_state(DAG_ID, run_id)) not in {"success", "failed"}:  # noqa: ASYNC110 - Airflow has to be asked
        await asyncio.sleep(_POLL_S)
    if state == "failed":
        return failed(f"the task {TASK_ID} of {DAG_ID} failed in a worker", f"read its log: run {run_id} of {DAG_ID}")
    try:
        told = Told.model_validate(await airflow.returned(DAG_ID, run_id, TASK_ID))
    except ValidationError as invalid:
        return failed(f"the task returned something else: {invalid.errors()[0]['msg']}", "update the workers' code")
    lines = [f"{line.check}: {line.verdict}, {line.detail}" for line in told.lines]
    fixes = [f"{line.check}: {line.fix}" for line in told.lines if line.fix]
    verdict = worst(line.verdict for line in told.lines)
    return Finding(verdict, "\n".join([f"on {told.host}", *lines]), "\n".join(fixes))
