"""The workflow in a real Airflow: what is triggered, skipped, killed and stopped, and that people are told once."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.airflow.parts import DEADLINE_S
from tests.trading.analysis_parts import KEY, running_analysis
from tests.trading.gateway_faults import gateway_fault
from tests.trading.parts import Parts
from tests.trading.process import wait_until
from tests.trading.trading_airflow import DAG, TradingAirflow


@pytest.fixture(scope="module")
def airflow(parts: Parts, tmp_path_factory: pytest.TempPathFactory, starts_a_stack: None) -> Iterator[TradingAirflow]:
    """Migrated database, api-server, scheduler and dag-processor, which know the workflow's settings."""
    folder = Path(tempfile.mkdtemp(prefix="trading-airflow-test-"))
    with psycopg.connect(parts.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE airflow_of_the_workflow")
    with running_analysis(tmp_path_factory.mktemp("analysis")) as analysis:
        settings = {
            "BACKEND_API_URL": parts.backend_url,
            "DATABASE_URL": parts.database_url,
            "IBKR_PORT": str(parts.gateway_port),
            "IBKR_RECONNECT_S": "1",
            "LLM_API_BASE_URL": f"{analysis}/v1",
            "LLM_API_KEY": KEY,
            "LLM_MODEL": "test-model",
            "NOTIFY_URLS": parts.notifications.replace("http://", "json://") + "/notify",
            "ARTIFACT_SPOOL_DIR": str(folder / "spool"),
            "CHART_DIR": str(folder / "charts"),
            "WORKFLOW_SCHEDULE": "manual",
            "WORKFLOW_MAX_FAILED_RUNS": "2",
        }
        url = parts.database_url.replace("/ibkr_trading", "/airflow_of_the_workflow")
        started = TradingAirflow(folder, parts.database_port, settings=settings, database_url=url)
        try:
            assert started.start("migrate").wait(timeout=DEADLINE_S) == 0, started.log("migrate").read_text()[-2000:]
            del started.running["migrate"]
            started.start("api-server", "--port", str(started.port))
            started.start("scheduler")
            started.start("dag-processor")
            started.wait_for("api-server", lambda: started.serves("/api/v2/version"))
            yield started
        finally:
            for part in list(started.running):
                started.end(part, signal.SIGKILL)
            shutil.rmtree(folder)


def outcome_of(parts: Parts, run: str) -> tuple[str, str]:
    """The recorded outcome of a run, and its reasons as a text."""
    (row,) = parts.rows("SELECT outcome, reasons::text AS reasons FROM workflow_runs WHERE execution_id = %s", run)
    return row["outcome"], row["reasons"]


@pytest.mark.parametrize("conf", [{"symbols": "MSFT"}, {"symbols": ["not a symbol!"]}, {"dry_run": "yes"}])
def test_trigger_refuses_what_the_form_would_not_allow(airflow: TradingAirflow, conf: dict[str, object]) -> None:
    """Airflow checks the parameters before there is a run."""
    airflow.set_paused(paused=False)
    assert airflow.try_to_trigger("refused", conf).status_code == httpx.codes.BAD_REQUEST


def test_dry_run_for_a_symbol_does_everything_but_order(airflow: TradingAirflow, clean_gateway: Parts) -> None:
    """Triggered by hand with both parameters: a success, an artifact that says so, and nothing at the gateway."""
    airflow.start_run("dry", {"symbols": ["MSFT"], "dry_run": True})
    assert airflow.ended("dry") == "success"
    assert outcome_of(clean_gateway, "dry") == ("success", "[]")
    (order,) = clean_gateway.rows("SELECT * FROM artifacts WHERE execution_id = 'dry' AND type = 'order'")
    assert (order["symbol"], order["action"], order["metadata"]["status"]) == ("MSFT", "BUY", "DRY_RUN")
    assert clean_gateway.gateway_orders() == []
    assert clean_gateway.rows("SELECT 1 FROM orders WHERE execution_id = 'dry'") == []
    assert "Portfolio" in clean_gateway.artifacts("dry")
    assert clean_gateway.told("dry") == []


def test_scheduled_run_on_a_holiday_is_a_success_without_a_task(airflow: TradingAirflow, clean_gateway: Parts) -> None:
    """The pre-flight is skipped and all that follows it, but for the last task, which records why."""
    airflow.set_paused(paused=True)
    airflow.start_run("holiday")
    airflow.turn_into_scheduled("holiday", "2025-11-27")
    airflow.set_paused(paused=False)
    assert airflow.ended("holiday") == "success"
    states = airflow.states("holiday")
    assert states.pop("finalize") == "success"
    assert set(states.values()) == {"skipped"}
    outcome, reasons = outcome_of(clean_gateway, "holiday")
    assert outcome == "success"
    assert "skipped: the exchange is closed" in reasons
    assert clean_gateway.told("holiday") == []


def test_task_that_is_killed_is_run_again_and_people_know(airflow: TradingAirflow, clean_gateway: Parts) -> None:
    """A kill -9 while it waits for the gateway: the second try does the work, and the run is degraded."""
    with gateway_fault(clean_gateway, "silent", requests=["reqPositions"]) as hits:
        airflow.start_run("killed", {"dry_run": True})
        airflow.wait_for("the task's question", lambda: hits() > 0)
        airflow.kill_task("killed", "get_portfolio", try_number=1)
    assert airflow.ended("killed") == "success"
    outcome, reasons = outcome_of(clean_gateway, "killed")
    assert outcome == "degraded"
    assert "try 2: the one before failed, or was killed" in reasons
    assert len(clean_gateway.told("killed")) == 1


def test_run_whose_last_task_is_killed_each_time_is_told_once(airflow: TradingAirflow, clean_gateway: Parts) -> None:
    """No process of the task is left to say anything: the dag-processor is called, which records and tells."""
    with psycopg.connect(clean_gateway.database_url) as lock:
        airflow.start_run("mute", {"dry_run": True})
        airflow.wait_for("the end of the pre-flight", lambda: airflow.states("mute")["preflight"] == "success")
        # The last task waits for this table.
        lock.execute("LOCK TABLE workflow_runs IN ACCESS EXCLUSIVE MODE")
        for number in (1, 2, 3):
            airflow.kill_task("mute", "finalize", try_number=number)
    assert airflow.ended("mute") == "failed"
    wait_until(lambda: clean_gateway.told("mute"), "people are told", deadline_s=60)
    outcome, reasons = outcome_of(clean_gateway, "mute")
    assert outcome == "failed"
    assert "finalize" in reasons
    assert "it was killed" in reasons
    assert len(clean_gateway.told("mute")) == 1


def test_workflow_stops_after_failures_in_a_row(airflow: TradingAirflow, clean_gateway: Parts) -> None:
    """The second failed run of two that are allowed pauses the DAG, and says so; each is told once."""
    with gateway_fault(clean_gateway, "login-needed"):
        airflow.start_run("failing")
        assert airflow.ended("failing") == "failed"
    states = airflow.states("failing")
    assert (states["preflight"], states["fetch_market_data"], states["finalize"]) == (
        "failed",
        "upstream_failed",
        "failed",
    )
    airflow.wait_for("the DAG is paused", airflow.is_paused)
    (text,) = clean_gateway.told("failing")
    assert f"stopped: 2 runs in a row have failed; at 2 (WORKFLOW_MAX_FAILED_RUNS) Airflow pauses {DAG}" in text
    assert "GatewayUnavailable" in text
