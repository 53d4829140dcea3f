"""Runs whose analysis fails, or is not sure: no order, a record of why, and people are told of a failure only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest

from tests.trading.analysis_parts import KEY, completion, running_analysis, verdict
from tests.trading.fault_analysis import failing_analysis, http
from tests.trading.parts import Parts, new_run, task
from tests.trading.process import free_port
from trading.workflow import tasks
from trading.workflow.analysis.rule import MODEL_NAME
from trading.workflow.settings import WorkflowSettings

SetUp = Callable[..., WorkflowSettings]


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_analysis(tmp_path_factory.mktemp("analysis")) as url:
        yield url


@pytest.fixture
def service(_running: str) -> str:
    """The address of the stand-in, which answers with a verdict to buy."""
    httpx.post(f"{_running}/reset", trust_env=False).raise_for_status()
    return _running


def endpoint(url: str, **changes: object) -> dict[str, object]:
    """The settings that name an analysis service."""
    return {"llm_api_base_url": f"{url}/v1" if url else "", "llm_model": "test-model", "llm_api_key": KEY, **changes}


def analyse_and_order() -> tuple[str, str]:
    """Run the tasks that an order takes, and the last one; return the run and its outcome."""
    run = new_run()
    data = tasks.fetch_market_data(task(run, "fetch_market_data"), ["AAPL"])
    signals = tasks.analyze(task(run, "analyze_with_llm"), data)
    tasks.place_order(task(run, "place_order"), data, signals)
    done = dict.fromkeys(("fetch_market_data", "analyze_with_llm", "place_order"), "success")
    return run, tasks.finalize(task(run, "finalize"), done)


def stored(parts: Parts, run: str, kind: str) -> dict[str, Any]:
    """The one artifact of a type that a run left."""
    (row,) = parts.rows("SELECT * FROM artifacts WHERE execution_id = %s AND type = %s", run, kind)
    return row


def require_no_order(parts: Parts, run: str) -> str:
    """Nothing was ordered, neither at the gateway nor on record; return the recorded reason."""
    assert parts.gateway_orders() == []
    assert parts.rows("SELECT 1 FROM orders WHERE execution_id = %s", run) == []
    metadata = cast("dict[str, str]", stored(parts, run, "order")["metadata"])
    assert metadata["status"] == "NONE"
    return metadata["reason"]


def test_run_orders_what_the_model_says(clean_gateway: Parts, set_up: SetUp, service: str) -> None:
    """The model's word is recorded with its prompt, and its order is placed."""
    httpx.put(f"{service}/script", json={"action": "SELL", "rationale": "It falls."}, trust_env=False)
    set_up(**endpoint(service))
    run, outcome = analyse_and_order()
    assert outcome == "success"
    (order,) = clean_gateway.gateway_orders()
    assert order["action"] == "SELL"
    asked = stored(clean_gateway, run, "llm")
    assert (asked["model_name"], asked["metadata"]) == ("test-model", {"source": "model", "failure": ""})
    assert '"symbol":"AAPL"' in asked["prompt"]
    assert "It falls." in asked["response"]
    assert (asked["prompt_length"], asked["response_length"]) == (len(asked["prompt"]), len(asked["response"]))
    signal = stored(clean_gateway, run, "signal")
    assert (signal["action"], signal["confidence"]) == ("SELL", 0.8)
    assert (signal["signal_data"]["source"], signal["signal_data"]["actionable"]) == ("model", True)
    assert clean_gateway.told(run) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"action": "HOLD", "rationale": "Neither side."}, "the model holds: Neither side."),
        ({"confidence": 0.3}, "the model's confidence is 0.3, under the 0.5 that is needed"),
    ],
)
def test_run_that_holds_is_a_success_without_an_order(
    clean_gateway: Parts, set_up: SetUp, service: str, script: dict[str, object], reason: str
) -> None:
    """A model that sees nothing to do, or is not sure: nothing went wrong, so no notification is sent."""
    httpx.put(f"{service}/script", json=script, trust_env=False)
    set_up(**endpoint(service))
    run, outcome = analyse_and_order()
    assert outcome == "success"
    assert require_no_order(clean_gateway, run) == reason
    assert clean_gateway.told(run) == []


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (http(500, "oops"), "http_5xx"),
        (http(429, "{}"), "http_429"),
        (http(401, "{}"), "http_401"),
        ("reset", "reset"),
        ("silence", "timeout"),
        ("trickle", "timeout"),
        (http(200, "<html>"), "bad_answer"),
        (http(200, completion("BUY")), "bad_answer"),
        (http(200, completion(verdict(symbol="MSFT"))), "bad_answer"),
        (http(200, completion(verdict(confidence=float("nan")))), "bad_answer"),
    ],
    ids=["500", "429", "401", "reset", "silence", "trickle", "html", "prose", "another symbol", "NaN"],
)
def test_run_whose_analysis_fails_orders_nothing_and_is_told(
    clean_gateway: Parts, set_up: SetUp, fault: bytes | str, cause: str
) -> None:
    """Any failure: the rule's word is recorded as such, no order is placed, and people know why."""
    with failing_analysis(None, *[fault] * 50) as server:
        set_up(**endpoint(server.url, llm_deadline_s=1))
        run, outcome = analyse_and_order()
    require_failed_analysis(clean_gateway, run, outcome, cause)


def test_run_whose_analysis_is_gone_orders_nothing_and_is_told(clean_gateway: Parts, set_up: SetUp) -> None:
    """No process listens, and the deadline holds."""
    set_up(**endpoint(f"http://127.0.0.1:{free_port()}", llm_deadline_s=1))
    started_s = time.monotonic()
    run, outcome = analyse_and_order()
    assert time.monotonic() - started_s < 15
    require_failed_analysis(clean_gateway, run, outcome, "refused")


def test_run_without_an_endpoint_orders_nothing_and_is_told(clean_gateway: Parts, set_up: SetUp) -> None:
    """No endpoint is configured: the cause names the setting."""
    set_up(**endpoint(""))
    run, outcome = analyse_and_order()
    require_failed_analysis(clean_gateway, run, outcome, "LLM_API_BASE_URL is empty")


def require_failed_analysis(parts: Parts, run: str, outcome: str, cause: str) -> None:
    """Require all that a failed analysis must leave, and no order."""
    assert outcome == "degraded"
    assert cause in require_no_order(parts, run)
    asked, signal = stored(parts, run, "llm"), stored(parts, run, "signal")
    assert asked["model_name"] == signal["model_name"] == MODEL_NAME
    assert asked["metadata"]["source"] == signal["signal_data"]["source"] == "rule"
    assert cause in asked["metadata"]["failure"]
    assert signal["signal_data"]["actionable"] is False
    (text,) = parts.told(run)
    assert "analyze_with_llm" in text
    assert cause in text
