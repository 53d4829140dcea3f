"""The endpoint is asked until it answers or its time is over; an answer that cannot be used is no signal to act upon."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.trading.analysis_parts import KEY, a_market, ask, completion, running_analysis, settings_for, verdict
from tests.trading.fault_analysis import GOOD, failing_analysis, http
from tests.trading.process import free_port
from trading.workflow.analysis.analysis import Analysis, analyse
from trading.workflow.analysis.endpoint import ANSWER_MAX_BYTES


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_analysis(tmp_path_factory.mktemp("analysis")) as url:
        yield url


@pytest.fixture
def service(_running: str) -> str:
    """The address of the stand-in, which has been asked nothing and answers with a verdict to buy."""
    httpx.post(f"{_running}/reset", trust_env=False).raise_for_status()
    return _running


def failed_attempts(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log's lines about attempts that failed."""
    lines = [record.getMessage() for record in caplog.records]
    return [line for line in lines if line.startswith("attempt_failed target=analysis")]


def is_by_rule(analysis: Analysis) -> bool:
    """Whether the rule spoke, and nothing may be done about it."""
    signal = analysis.signal
    return (signal.source, signal.actionable) == ("rule", False) and bool(signal.no_order_reason)


def test_model_is_asked_with_exact_prices_and_acted_upon(service: str) -> None:
    """The stand-in, as strict as the real API, takes the question and sees the bars; its verdict may be acted upon."""
    analysis = ask(settings_for(service), a_market("BRK B", step="0.1"))
    signal = analysis.signal
    assert (signal.symbol, signal.action, signal.confidence) == ("BRK B", "BUY", 0.8)
    assert (signal.source, signal.model_name, signal.actionable) == ("model", "test-model", True)
    assert (signal.no_order_reason, analysis.failure) == ("", "")
    (asked,) = httpx.get(f"{service}/requests", trust_env=False).json()["requests"]
    facts = json.loads(asked["messages"][-1]["content"])
    assert len(facts["daily"]) == 60
    assert facts["daily"][-1] == ["2026-11-20", "105.9", "106.9", "104.9", "105.9", "1000"]
    assert facts["indicators"]["ema_12"] == str(signal.indicators["ema_12"])
    assert asked["messages"][-1]["content"] in analysis.prompt
    assert json.loads(analysis.response)["symbol"] == "BRK B"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (http(500, "oops"), "http_5xx"),
        (http(503, "{}", extra="Retry-After: 1\r\n"), "http_5xx"),
        (http(429, "{}"), "http_429"),
        (http(408, ""), "http_408"),
        (b"", "closed"),
        ("reset", "reset"),
        ("reset in body", "reset"),
        ("silence", "timeout"),
    ],
    ids=["500", "503", "429", "408", "closed", "reset", "reset in body", "silence"],
)
def test_endpoint_is_asked_again_when_that_may_help(
    service: str, caplog: pytest.LogCaptureFixture, fault: bytes | str, cause: str
) -> None:
    """One failed attempt, one line in the log, and the next attempt's verdict counts."""
    with failing_analysis(service, fault) as server:
        analysis = ask(settings_for(server.url, llm_deadline_s=6))
    assert analysis.signal.actionable
    assert server.asked == 2
    (line,) = failed_attempts(caplog)
    assert line.startswith(f"attempt_failed target=analysis cause={cause} attempt=1 elapsed_s=")
    assert "next_wait_s=" in line


UNUSABLE = {
    "html": "<html><body>log in</body></html>",
    "nothing": "",
    "empty object": "{}",
    "no choices": json.dumps({"choices": []}),
    "two choices": completion(verdict()).replace('"choices": [', '"choices": [' + json.dumps(json.loads(completion(verdict()))["choices"][0]) + ", "),
    "choices twice": completion(verdict())[:-1] + ', "choices": ' + json.dumps(json.loads(completion(verdict(action="SELL")))["choices"]) + "}",
    "cut off": completion(verdict(), finish_reason="length"),
    "filtered": completion(verdict(), finish_reason="content_filter"),
    "refused by the model": completion(verdict(), refusal="I cannot advise on this."),
    "said by the user": completion(verdict(), role="user"),
    "no content": completion(None),
    "content as an object": completion(json.loads(verdict())),
    "prose": completion("Buy it, I am sure: BUY"),
    "prose around the verdict": completion(f"Here you are: {verdict()}"),
    "fenced": completion(f"```json\n{verdict()}\n```"),
    "html as content": completion("<b>BUY</b>"),
    "a list": completion(f"[{verdict()}]"),
    "missing field": completion('{"action": "BUY", "confidence": 0.9, "symbol": "AAPL"}'),
    "extra field": completion(verdict(quantity=1000)),
    "field twice": completion(verdict()[:-1] + ', "action": "SELL"}'),
    "another symbol": completion(verdict(symbol="MSFT")),
    "symbol in small letters": completion(verdict(symbol="aapl")),
    "another action": completion(verdict(action="STRONG_BUY")),
    "action in small letters": completion(verdict(action="buy")),
    "confidence of more than 1": completion(verdict(confidence=1.01)),
    "confidence of less than 0": completion(verdict(confidence=-0.01)),
    "confidence as a text": completion(verdict(confidence="0.9")),
    "confidence as a truth": completion(verdict(confidence=True)),
    "confidence of NaN": completion(verdict(confidence=float("nan"))),
    "infinite confidence": completion(verdict().replace("0.8", "1e999")),
    "no rationale": completion(verdict(rationale="")),
    "long rationale": completion(verdict(rationale="x" * 2001)),
    "rationale that no database takes": completion(verdict(rationale="a\x00b")),
    "half a character": completion(verdict(rationale="\ud800")),
    "deeply nested": completion("[" * 50_000),
    "a number of ten thousand digits": completion(verdict().replace("0.8", "9" * 10_000)),
}  # fmt: skip


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_answer_of_another_form_is_no_signal(caplog: pytest.LogCaptureFixture, answer: str) -> None:
    """Nothing is guessed out of it, and it is asked for once only: an answer came."""
    with failing_analysis(None, http(200, answer)) as server:
        analysis = ask(settings_for(server.url))
    assert is_by_rule(analysis)
    assert server.asked == 1
    assert analysis.failure.startswith("bad_answer: ")
    assert analysis.failure in analysis.signal.no_order_reason
    (line,) = failed_attempts(caplog)
    assert "cause=bad_answer attempt=1" in line
    assert (analysis.failure + line).isascii()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (http(400, '{"error": {"message": "no such model"}}'), "http_400"),
        (http(404, "nothing here"), "http_404"),
        (http(301, "", extra="Location: http://127.0.0.1:1/\r\n"), "http_301"),
        (http(204, ""), "bad_answer"),
        (http(200, b"\xff\xfe\x00"), "bad_answer"),
    ],
    ids=["400", "404", "301", "204", "bytes"],
)
def test_refusal_is_not_tried_again(answer: bytes, cause: str) -> None:
    """What the endpoint will never answer is not asked a second time."""
    with failing_analysis(None, answer) as server:
        analysis = ask(settings_for(server.url))
    assert is_by_rule(analysis)
    assert (server.asked, analysis.failure.partition(":")[0]) == (1, cause)


def test_wrong_key_is_no_signal(service: str) -> None:
    """The real API's answer to a wrong key."""
    analysis = ask(settings_for(service, llm_api_key="wrong"))
    assert is_by_rule(analysis)
    assert analysis.failure.startswith("http_401: ")


def test_service_that_is_gone_is_asked_until_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    """Refused connections: several attempts, each in the log, and then the rule."""
    started_s = time.monotonic()
    analysis = ask(settings_for(f"http://127.0.0.1:{free_port()}", llm_deadline_s=2))
    assert time.monotonic() - started_s < 3
    assert is_by_rule(analysis)
    assert analysis.failure.startswith("refused: ")
    lines = failed_attempts(caplog)
    assert len(lines) >= 2
    assert all("cause=refused" in line for line in lines)


@pytest.mark.parametrize("fault", ["silence", "trickle"])
def test_deadline_holds_for_an_answer_that_never_ends(fault: str) -> None:
    """Neither silence nor a byte now and then holds the task, over all attempts together."""
    with failing_analysis(None, *[fault] * 20) as server:
        started_s = time.monotonic()
        analysis = ask(settings_for(server.url, llm_deadline_s=1))
        assert 0.4 < time.monotonic() - started_s < 2
    assert is_by_rule(analysis)
    assert analysis.failure.startswith("timeout: ")


def test_cause_is_what_was_answered_when_the_deadline_cuts_the_last_attempt_short() -> None:
    """That the endpoint is broken says more than that the time was over."""
    with failing_analysis(None, http(500, "oops"), *["trickle"] * 9) as server:
        analysis = ask(settings_for(server.url, llm_deadline_s=1))
    assert is_by_rule(analysis)
    assert analysis.failure == "http_5xx: answer 500: 'oops'; no other answer within 1 s in 2 attempts"


def test_answer_without_end_is_given_up_at_once() -> None:
    """An answer that would fill the memory is read no further than any verdict can be long."""
    with failing_analysis(None, "flood") as server:
        started_s = time.monotonic()
        analysis = ask(settings_for(server.url))
        assert time.monotonic() - started_s < 5
    assert is_by_rule(analysis)
    assert str(ANSWER_MAX_BYTES) in analysis.failure


def test_endpoint_that_asks_for_more_time_than_there_is_is_given_up_at_once() -> None:
    """To wait for a minute is no use when the deadline is in seconds."""
    with failing_analysis(None, http(429, "{}", extra="Retry-After: 60\r\n")) as server:
        started_s = time.monotonic()
        analysis = ask(settings_for(server.url))
        assert time.monotonic() - started_s < 5
    assert is_by_rule(analysis)
    assert (server.asked, analysis.failure.partition(":")[0]) == (1, "http_429")


def test_no_endpoint_is_told_as_the_cause() -> None:
    """Without an endpoint nothing is asked, and the cause says which setting is empty."""
    analysis = ask(settings_for(""))
    assert is_by_rule(analysis)
    assert "LLM_API_BASE_URL is empty" in analysis.failure


def test_key_comes_into_neither_log_nor_cause(caplog: pytest.LogCaptureFixture) -> None:
    """Not even when the endpoint repeats it, as some do."""
    with failing_analysis(None, http(401, " " * 190 + KEY), http(200, f"{KEY} is wrong")) as server:
        failures = [ask(settings_for(server.url)).failure for _ in range(2)]
    told = "\n".join([*failures, *(record.getMessage() for record in caplog.records)])
    assert "***" in told
    assert KEY[:8] not in told


@pytest.mark.parametrize(
    ("script", "action", "actionable"),
    [
        ({"action": "SELL", "confidence": 0.9}, "SELL", True),
        ({"confidence": 0.5}, "BUY", True),
        ({"confidence": 0.49}, "BUY", False),
        ({"action": "HOLD", "confidence": 1}, "HOLD", False),
    ],
)
def test_verdict_is_acted_upon_when_it_is_sure_and_no_hold(
    service: str,
    script: dict[str, object],
    action: str,
    actionable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A doubtful verdict and a HOLD are the model's word, no failure, and no order."""
    httpx.put(f"{service}/script", json=script, trust_env=False).raise_for_status()
    analysis = ask(settings_for(service))
    signal = analysis.signal
    assert (signal.source, signal.action, signal.actionable) == ("model", action, actionable)
    assert (bool(signal.no_order_reason), analysis.failure) == (not actionable, "")


def test_symbols_share_one_deadline() -> None:
    """Ten symbols of an endpoint that is silent take no longer than one."""
    markets = [a_market(f"S{number}") for number in range(10)]
    with failing_analysis(None, *["silence"] * 100) as server:
        started_s = time.monotonic()
        analyses = asyncio.run(analyse(markets, settings_for(server.url, llm_deadline_s=1)))
        assert time.monotonic() - started_s < 2.5
    assert [analysis.signal.symbol for analysis in analyses] == [market.instrument.symbol for market in markets]
    assert all(is_by_rule(analysis) for analysis in analyses)


def test_failure_of_one_symbol_is_its_own(service: str) -> None:
    """Of two symbols one gets the model's word, although the other one's answer cannot be used."""
    with failing_analysis(service, http(200, "{}")) as server:
        analyses = asyncio.run(analyse([a_market("AAPL"), a_market("MSFT")], settings_for(server.url)))
    assert sorted(is_by_rule(analysis) for analysis in analyses) == [False, True]


def test_good_answer_of_the_tests_is_one() -> None:
    """The answer that the tables spoil is acted upon when it is not spoiled."""
    with failing_analysis(None, GOOD) as server:
        assert ask(settings_for(server.url)).signal.actionable
