"""Whole runs of the nine tasks on real parts: what is left of them in the tables, at the gateway and in the inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from tests.trading.analysis_parts import KEY, running_analysis
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port
from tests.trading.relay import Relay, relay_to
from trading.workflow import tasks
from trading.workflow.errors import GatewayUnavailable, RunDatabaseUnavailable, RunFailed, WorkflowError
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]

ARTIFACTS = [
    "AAPL daily bars",
    "AAPL weekly bars",
    "AAPL daily chart",
    "AAPL weekly chart",
    "AAPL analysis",
    "AAPL signal",
    "AAPL order",
    "AAPL trades",
    "Portfolio",
]


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an analysis service that says to buy."""
    with running_analysis(tmp_path_factory.mktemp("analysis")) as url:
        yield url


@pytest.fixture(autouse=True)
def _analysed(analysis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that have an analysis service, without which no order is placed."""
    for name, value in (("BASE_URL", f"{analysis}/v1"), ("KEY", KEY)):
        monkeypatch.setenv(f"LLM_API_{name}", value)
    monkeypatch.setenv("LLM_MODEL", "test-model")


class Run:
    """Runs the tasks in their order, as Airflow does: what follows a failed task is not run, but for the last."""

    def __init__(self) -> None:
        self.execution_id = new_run()
        self.states: dict[str, str] = {}

    def _do(self, task_id: str, function: Callable[..., Any], *arguments: Any) -> Any:
        self.states[task_id] = "failed"
        answer = function(task(self.execution_id, task_id), *arguments)
        self.states[task_id] = "success"
        return answer

    def all_but_last(self) -> None:
        """Run all tasks but the last; an error of one is raised."""
        symbols = self._do("preflight", tasks.run_preflight, {"symbols": ["AAPL"]})
        data = self._do("fetch_market_data", tasks.fetch_market_data, symbols)
        self._do("generate_daily_chart", tasks.generate_chart, data, "daily")
        self._do("generate_weekly_chart", tasks.generate_chart, data, "weekly")
        signals = self._do("analyze_with_llm", tasks.analyze, data)
        self._do("place_order", tasks.place_order, data, signals)
        self._do("get_trades", tasks.get_trades, symbols)
        self._do("get_portfolio", tasks.get_portfolio)

    def finalize(self) -> str:
        """Run the last task."""
        return tasks.finalize(task(self.execution_id, "finalize"), self.states)


def outcome_of(parts: Parts, run: Run) -> tuple[str, list[str]]:
    """The recorded outcome of a run, and the tasks that its reasons name."""
    (row,) = parts.rows("SELECT outcome, reasons FROM workflow_runs WHERE execution_id = %s", run.execution_id)
    return row["outcome"], [reason["task"] for reason in cast("list[dict[str, str]]", row["reasons"])]


def test_run_leaves_each_artifact_once_and_sends_no_notification(clean_gateway: Parts, set_up: SetUp) -> None:
    """A healthy run: nine artifacts, one filled order, its trades, outcome success, and silence."""
    set_up()
    run = Run()
    run.all_but_last()
    assert run.finalize() == "success"
    assert clean_gateway.artifacts(run.execution_id) == ARTIFACTS
    (order,) = clean_gateway.rows("SELECT * FROM orders WHERE execution_id = %s", run.execution_id)
    (at_gateway,) = clean_gateway.gateway_orders()
    assert (order["order_ref"], order["perm_id"]) == (at_gateway["order_ref"], at_gateway["perm_id"])
    assert order["status"] == "FILLED"
    trades = clean_gateway.rows("SELECT * FROM trades WHERE execution_id = %s", run.execution_id)
    assert sum(trade["shares"] for trade in trades) == order["filled"] == order["quantity"]
    assert all(trade["commission"] is not None for trade in trades)
    assert outcome_of(clean_gateway, run) == ("success", [])
    assert clean_gateway.told(run.execution_id) == []


def test_run_repeated_task_by_task_leaves_everything_once(clean_gateway: Parts, set_up: SetUp) -> None:
    """Every task of a run run twice: the same artifacts, order and trades as once."""
    set_up()
    run = Run()
    for _ in range(2):
        run.all_but_last()
        run.finalize()
    assert clean_gateway.artifacts(run.execution_id) == ARTIFACTS
    assert len(clean_gateway.gateway_orders()) == 1
    assert len(clean_gateway.rows("SELECT 1 FROM trades WHERE execution_id = %s", run.execution_id)) == 1


def test_run_without_backend_is_degraded_and_told_once(clean_gateway: Parts, set_up: SetUp) -> None:
    """The backend is down during the run and back for its last task: nothing is lost, one notification, even twice."""
    set_up(backend_api_url=f"http://127.0.0.1:{free_port()}", artifact_attempts=1)
    run = Run()
    run.all_but_last()
    assert clean_gateway.artifacts(run.execution_id) == []
    set_up()
    assert [run.finalize(), run.finalize()] == ["degraded", "degraded"]
    assert clean_gateway.artifacts(run.execution_id) == ARTIFACTS
    outcome, named = outcome_of(clean_gateway, run)
    assert outcome == "degraded"
    assert {"preflight", "generate_daily_chart", "get_portfolio"} <= set(named)
    (text,) = clean_gateway.told(run.execution_id)
    assert "outcome: degraded" in text
    assert "AAPL daily chart" in text


def test_run_that_lost_the_gateway_is_degraded_and_told_once(
    clean_gateway: Parts, gateway_relay: Relay, set_up: SetUp
) -> None:
    """The connection is lost while the order is sent: one order, recorded truly, and people know."""
    set_up(ibkr_port=gateway_relay.port)
    run = Run()
    gateway_relay.set_trap(b"tw-AAPL-", forward=True)
    run.all_but_last()
    assert gateway_relay.sprung.is_set()
    assert run.finalize() == "degraded"
    assert clean_gateway.artifacts(run.execution_id) == ARTIFACTS
    assert len(clean_gateway.gateway_orders()) == 1
    assert set(outcome_of(clean_gateway, run)[1]) == {"place_order"}
    assert len(clean_gateway.told(run.execution_id)) == 1


def test_run_that_failed_is_recorded_told_once_and_raised(clean_gateway: Parts, set_up: SetUp) -> None:
    """A task that failed, and one that was killed without a word: the run fails, with both as reasons."""
    set_up(ibkr_port=free_port(), ibkr_reconnect_s=0.5)
    run = Run()
    with pytest.raises(GatewayUnavailable):
        tasks.fetch_market_data(task(run.execution_id, "fetch_market_data"), ["AAPL"])
    run.states = {"preflight": "success", "fetch_market_data": "failed", "get_trades": "failed"}
    for _ in range(2):
        with pytest.raises(RunFailed, match="fetch_market_data, get_trades"):
            run.finalize()
    outcome, named = outcome_of(clean_gateway, run)
    assert outcome == "failed"
    assert {"fetch_market_data", "get_trades"} <= set(named)
    assert len(clean_gateway.told(run.execution_id)) == 1


def test_preflight_fails_in_time_without_gateway(clean_gateway: Parts, set_up: SetUp) -> None:
    """No gateway: the run ends at its first task, with the cause, before any market data."""
    set_up(ibkr_port=free_port(), ibkr_reconnect_s=0.5)
    with pytest.raises(GatewayUnavailable, match="refused"):
        tasks.run_preflight(task(new_run(), "preflight"), {})


@pytest.mark.parametrize(
    "conf", [{"symbols": ["not a symbol!"]}, {"symbols": "AAPL"}, {"symbol": ["AAPL"]}, {"dry_run": "true"}]
)
def test_preflight_names_a_wrong_conf(set_up: SetUp, conf: dict[str, Any]) -> None:
    """A conf that is not understood is an error that shows a correct one, not a run for other symbols."""
    set_up()
    with pytest.raises(WorkflowError, match=r'expected \{"symbols": \["AAPL"\], "dry_run": false\}'):
        tasks.run_preflight(task(new_run(), "preflight"), conf)


def test_outcome_is_told_when_it_cannot_be_recorded(clean_gateway: Parts, set_up: SetUp) -> None:
    """The database is gone at the end of a degraded run: people are told, once, although the record has to wait."""
    with relay_to(clean_gateway.database_port) as relay:
        database_url = clean_gateway.database_url.replace(str(clean_gateway.database_port), str(relay.port))
        set_up(backend_api_url=f"http://127.0.0.1:{free_port()}", database_url=database_url, artifact_attempts=1)
        run = Run()
        tasks.get_portfolio(task(run.execution_id, "get_portfolio"))
        set_up(database_url=database_url, database_retry_s=0.3)
        relay.cut(refuse=True)
        run.states = {"get_portfolio": "success"}
        for _ in range(2):
            with pytest.raises(RunDatabaseUnavailable):
                run.finalize()
        relay.restore()
        run.finalize()
    assert outcome_of(clean_gateway, run)[0] == "degraded"
    assert len(clean_gateway.told(run.execution_id)) == 1
