# ruff: noqa: INP001 - Airflow loads it by its path, not as part of a package
"""The DAG: nine tasks in their order, each a thin call of a plain function in trading.workflow.tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from airflow.sdk import DAG, Context, CronTriggerTimetable, Param, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from trading.workflow.errors import GatewayUnavailable, Permanent, RunSkipped
from trading.workflow.schedule import read_schedule
from trading.workflow.settings import SYMBOL
from trading.workflow.task_context import TaskContext

_schedule = read_schedule()
if _schedule.problem:
    logging.getLogger(__name__).error("schedule_invalid, manual runs only: %s", _schedule.problem)


def _tasks() -> ModuleType:
    # Imported late: the process that only parses this file need not load what draws charts and talks to the gateway.
    from trading.workflow import tasks  # noqa: PLC0415

    return tasks


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a task's function; what cannot be helped by a retry, or has tried for long enough itself, gets none."""
    try:
        return function(_context(), *arguments)
    except RunSkipped as skipped:
        raise AirflowSkipException(str(skipped)) from skipped
    except (Permanent, GatewayUnavailable) as error:
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


def _context() -> TaskContext:
    instance = get_current_context()["ti"]
    # What is no true or false has failed the pre-flight.
    dry_run = _conf().get("dry_run") is True
    return TaskContext(instance.run_id, instance.dag_id, instance.task_id, instance.try_number, dry_run)


def _conf() -> dict[str, Any]:
    return get_current_context()["dag_run"].conf or {}


def _scheduled_at() -> datetime | None:
    dag_run = get_current_context()["dag_run"]
    return dag_run.run_after if dag_run.run_type == "scheduled" else None


def _pull(task_id: str) -> Any:
    # Arguments passed from task to task would draw edges of their own into the graph, beside its nine.
    return get_current_context()["ti"].xcom_pull(task_ids=task_id)


def _states() -> dict[str, str]:
    instance: Any = get_current_context()["ti"]
    others = sorted(task_id for task_id in dag.task_ids if task_id != instance.task_id)
    states = instance.get_task_states(instance.dag_id, task_ids=others, run_ids=[instance.run_id])
    return {task_id: str(state) for task_id, state in states.get(instance.run_id, {}).items()}


def _tell_unfinished(context: Context, cause: str) -> None:
    finalize_of_run = TaskContext(context["run_id"], context["dag"].dag_id, "finalize")
    _tasks().tell_unfinished(finalize_of_run, cause)


def _finalize_failed(context: Context) -> None:
    """Tell people from the last task's own process, when it could not do so in the usual way."""
    error = context.get("exception")
    _tell_unfinished(context, f"it failed: {type(error).__name__}: {error}")


def _run_failed(context: Context) -> None:
    """Tell people when even that was not done: the last task's process was killed. The dag-processor calls this."""
    _tell_unfinished(context, "it was killed, or stopped for taking too long, before it could tell how the run ended")


with DAG(
    dag_id="ibkr_trading_signal_workflow",
    description="From market data to a recorded order, and an outcome that is told.",
    doc_md=_schedule.problem or __doc__,
    # A tick that passed while nothing was running is left out: it would trade at the wrong hour.
    schedule=None
    if _schedule.cron is None
    else CronTriggerTimetable(_schedule.cron, timezone=_schedule.timezone, run_immediately=timedelta(0)),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    # Too many failures in a row: Airflow pauses the DAG, and the run that was one too many says so.
    max_consecutive_failed_dag_runs=_schedule.max_failed_runs,
    on_failure_callback=_run_failed,
    params={
        "symbols": Param(
            [],
            type="array",
            items={"type": "string", "pattern": f"^{SYMBOL.pattern}$"},
            title="Symbols",
            description="What to trade, one symbol a line, as in AAPL; the setting STOCK_SYMBOLS when left empty.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Do everything but send orders: the order's artifact says DRY_RUN, the gateway sees none.",
        ),
    },
    tags=["trading", *(["schedule-invalid"] if _schedule.problem else [])],
    # The retry is for a task whose process was killed; each task's work may be done twice.
    default_args={"retries": 1, "retry_delay": timedelta(seconds=1)},
) as dag:

    @task(execution_timeout=timedelta(seconds=40))
    def preflight() -> Any:
        """Check that the run can begin, and say what it trades."""
        return _call(_tasks().run_preflight, _conf(), _scheduled_at())

    @task(execution_timeout=timedelta(seconds=120))
    def fetch_market_data() -> Any:
        """Fetch bars."""
        return _call(_tasks().fetch_market_data, _pull("preflight"))

    @task(execution_timeout=timedelta(seconds=60))
    def generate_daily_chart() -> Any:
        """Draw daily candles."""
        return _call(_tasks().generate_chart, _pull("fetch_market_data"), "daily")

    @task(execution_timeout=timedelta(seconds=60))
    def generate_weekly_chart() -> Any:
        """Draw weekly candles."""
        return _call(_tasks().generate_chart, _pull("fetch_market_data"), "weekly")

    @task(execution_timeout=timedelta(seconds=60))
    def analyze_with_llm() -> Any:
        """Decide on a signal."""
        return _call(_tasks().analyze, _pull("fetch_market_data"))

    @task(execution_timeout=timedelta(seconds=150))
    def place_order() -> Any:
        """Place orders, at most once each."""
        return _call(_tasks().place_order, _pull("fetch_market_data"), _pull("analyze_with_llm"))

    @task(execution_timeout=timedelta(seconds=120))
    def get_trades() -> Any:
        """Record what was bought and sold."""
        return _call(_tasks().get_trades, _pull("preflight"))

    @task(execution_timeout=timedelta(seconds=120))
    def get_portfolio() -> Any:
        """Read what the account holds."""
        return _call(_tasks().get_portfolio)

    @task(
        execution_timeout=timedelta(seconds=90),
        retries=2,
        trigger_rule=TriggerRule.ALL_DONE,
        on_failure_callback=_finalize_failed,
    )
    def finalize() -> Any:
        """Record the run's outcome, and tell people when it is no success."""
        return _call(_tasks().finalize, _states())

    (
        preflight()
        >> fetch_market_data()
        >> [generate_daily_chart(), generate_weekly_chart()]
        >> analyze_with_llm()
        >> place_order()
        >> get_trades()
        >> get_portfolio()
        >> finalize()
    )
