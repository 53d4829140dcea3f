"""The stand-in answers as the real API would, refuses what it would refuse, and says what it was told to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.analysis_service.app import BODY_LIMIT_BYTES

_REPOSITORY = Path(__file__).parents[2]
_PATH = "/v1/chat/completions"


def question(**changes: object) -> dict[str, Any]:
    """A request that the real API takes, with changes."""
    properties = {"action": {"type": "string"}, "symbol": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": json.dumps({"symbol": "MSFT", "daily": []})},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdict", "strict": True, "schema": schema},
        },
        **changes,
    }


def form(**changes: object) -> dict[str, Any]:
    """A response format whose schema has changes."""
    made = question()["response_format"]
    made["json_schema"]["schema"] |= changes
    return {"response_format": made}


def said(answer: httpx.Response) -> str:
    """The text of a completion's message."""
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


def test_service_buys_any_symbol_that_it_is_asked_about(service: httpx.Client) -> None:
    """The default: a verdict to buy, in a completion of the API's form."""
    answer = service.post(_PATH, json=question())
    verdict = json.loads(said(answer))
    assert {name: verdict[name] for name in ("action", "confidence", "symbol")} == {
        "action": "BUY",
        "confidence": 0.8,
        "symbol": "MSFT",
    }
    assert answer.json()["object"] == "chat.completion"
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


def test_service_answers_the_same_question_to_the_byte(service: httpx.Client) -> None:
    """A drill that is repeated meets the same answers."""
    first, second = (service.post(_PATH, json=question()).content for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": "no JSON"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "[]"}]}, "messages"),
        ({"response_format": {"type": "json"}}, "response_format.type"),
        ({"tempreature": 1}, "tempreature"),
        ({"stream": True}, "stream"),
        (form(additionalProperties=True), "response_format.json_schema.schema"),
        (form(required=["action"]), "response_format.json_schema.schema"),
        (form(type="array"), "response_format.json_schema.schema"),
    ],
)
def test_service_refuses_a_malformed_request(service: httpx.Client, changes: dict[str, Any], param: str) -> None:
    """What the real API refuses gets a 400 with the parameter's name, and is not recorded as asked."""
    answer = service.post(_PATH, json=question(**changes))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert service.get("/requests").json()["requests"] == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * (BODY_LIMIT_BYTES + 1)])
def test_service_refuses_what_is_no_json(service: httpx.Client, content: bytes) -> None:
    """After any request, good or bad, the service goes on."""
    assert service.post(_PATH, content=content).status_code == 400
    assert service.get("/health").json()["status"] == "ok"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer other", "Basic key-of-the-tests", "Bearer \xff"])
def test_service_refuses_a_wrong_key(service: httpx.Client, authorization: str) -> None:
    """Only the right key is let in, and the answer is the API's."""
    answer = service.post(_PATH, json=question(), headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_service_shows_what_it_was_asked_until_reset(service: httpx.Client) -> None:
    """Requests are kept whole and in order."""
    service.post(_PATH, json=question())
    service.post(_PATH, json=question(model="another"))
    assert service.get("/requests").json()["requests"] == [question(), question(model="another")]
    service.post("/reset")
    assert service.get("/requests").json()["requests"] == []


def test_service_says_what_it_was_told_to_say_until_reset(service: httpx.Client) -> None:
    """A verdict, a text, a body or an error, as set."""
    service.put("/script", json={"action": "SELL", "confidence": 0.25}).raise_for_status()
    verdict = json.loads(said(service.post(_PATH, json=question())))
    assert (verdict["action"], verdict["confidence"]) == ("SELL", 0.25)
    service.put("/script", json={"content": "I would rather not say."}).raise_for_status()
    assert said(service.post(_PATH, json=question())) == "I would rather not say."
    service.put("/script", json={"body": "<html>", "content_type": "text/html"}).raise_for_status()
    answer = service.post(_PATH, json=question())
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
        200,
        "<html>",
        "text/html; charset=utf-8",
    )
    service.put("/script", json={"status": 429, "retry_after_s": 3}).raise_for_status()
    answer = service.post(_PATH, json=question())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    service.post("/reset")
    assert json.loads(said(service.post(_PATH, json=question())))["action"] == "BUY"


def test_service_refuses_a_script_that_it_does_not_know(service: httpx.Client) -> None:
    """A misspelt script is an error, not the default."""
    answer = service.put("/script", json={"acton": "SELL"})
    assert answer.status_code == 422
    assert "acton" in answer.json()["error"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--host", "192.0.2.1", "--port", "18080"], "'192.0.2.1' is not a loopback address"),
        (["--port", "70000"], "'70000' is not a port: 1 to 65535"),
    ],
)
def test_wrong_usage_is_refused(options: list[str], line: str) -> None:
    """Only this machine may reach the stand-in; anything else is exit code 2 and a line that says so."""
    ended = subprocess.run(
        [sys.executable, "-m", "fixtures.analysis_service", *options],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert line in ended.stderr
