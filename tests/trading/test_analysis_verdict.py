"""No answer whatsoever makes an actionable signal unless it has the form that was asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.trading.analysis_parts import ask, completion, settings_for, verdict
from tests.trading.fault_analysis import FaultAnalysis, failing_analysis, http
from trading.workflow.analysis.verdict import RATIONALE_MAX_CHARACTERS, read_verdict, response_format
from trading.workflow.errors import AnalysisUnusable

_ASKED = "AAPL"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
actions = st.sampled_from(["BUY", "SELL", "HOLD"])
rationales = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)
verdicts = st.fixed_dictionaries(
    {"action": actions, "confidence": st.floats(0, 1), "rationale": rationales, "symbol": st.just(_ASKED)}
)
# Close to a verdict, but for a field that holds anything, is missing, or is one too many.
near_verdicts = st.builds(
    lambda right, wrong, dropped: {name: value for name, value in (right | wrong).items() if name not in dropped},
    verdicts,
    st.dictionaries(st.sampled_from(["action", "confidence", "rationale", "symbol", "quantity"]), anything, max_size=2),
    st.lists(st.sampled_from(["action", "confidence", "rationale", "symbol"]), max_size=1),
)
contents = anything | st.one_of(near_verdicts, anything, st.lists(verdicts)).map(json.dumps)
completions = st.one_of(
    contents.map(completion),
    st.builds(lambda content, reason: completion(content, finish_reason=reason), contents, st.text()),
    st.builds(lambda content, extra: json.dumps(json.loads(completion(content)) | extra), contents, st.dictionaries(st.sampled_from(["choices", "object"]), anything)),
)  # fmt: skip
bodies = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode(errors="surrogatepass")),
    anything.map(lambda value: json.dumps(value).encode()),
    completions.map(str.encode),
)


def is_verdict(value: Any) -> bool:
    """The form that was asked for, said once more and in other words than the code's."""
    return (
        isinstance(value, dict)
        and set(value) == {"action", "confidence", "rationale", "symbol"}
        and value["action"] in ("BUY", "SELL", "HOLD")
        and type(value["confidence"]) in (int, float)
        and math.isfinite(value["confidence"])
        and 0 <= value["confidence"] <= 1
        and isinstance(value["rationale"], str)
        and 1 <= len(value["rationale"]) <= RATIONALE_MAX_CHARACTERS
        and value["symbol"] == _ASKED
    )


def content_of(body: bytes) -> Any:
    """What the model's text in an answer decodes to; None when there is none."""
    try:
        choices = json.loads(body)["choices"]
        assert len(choices) == 1
        assert choices[0]["finish_reason"] == "stop"
        return json.loads(choices[0]["message"]["content"])
    except (ValueError, LookupError, TypeError, AssertionError, RecursionError):
        return None


@given(bodies)
@settings(max_examples=500)
@example(completion(verdict()).encode())
@example(completion(verdict(confidence=True)).encode())
def test_answer_is_a_verdict_or_unusable(body: bytes) -> None:
    """Any bytes: either they hold a verdict of exactly the form that was asked for, or an error says not."""
    try:
        read, text = read_verdict(body, _ASKED)
    except AnalysisUnusable:
        return
    assert is_verdict(content_of(body))
    assert json.loads(text) == read.model_dump()


@given(verdicts)
def test_answer_of_the_right_form_is_always_a_verdict(right: dict[str, Any]) -> None:
    """The other way round: nothing that has the form is refused."""
    read, _ = read_verdict(completion(json.dumps(right)).encode(), _ASKED)
    assert read.model_dump() == right


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FaultAnalysis]:
    """An endpoint that answers what a test sets."""
    with failing_analysis(None) as server:
        yield server


@given(st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 422]), bodies)
@settings(max_examples=100)
def test_no_answer_makes_an_actionable_signal_unless_it_is_a_verdict(
    endpoint: FaultAnalysis, status: int, body: bytes
) -> None:
    """Through the whole client: any status, any body."""
    endpoint.faults = [http(status, body)]
    analysis = ask(settings_for(endpoint.url, llm_confidence_min=0))
    content = content_of(body)
    if analysis.signal.actionable:
        assert status in {200, 201}
        assert is_verdict(content)
        assert analysis.signal.action == content["action"]
    else:
        assert analysis.signal.no_order_reason


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail))
@settings(max_examples=40)
def test_no_bytes_on_the_wire_make_an_actionable_signal(endpoint: FaultAnalysis, raw: bytes) -> None:
    """Not even what is no HTTP."""
    endpoint.faults = [raw] * 20
    analysis = ask(settings_for(endpoint.url, llm_deadline_s=0.1))
    endpoint.faults = []
    assert not analysis.signal.actionable
    assert analysis.failure


def test_form_that_is_asked_for_is_strict() -> None:
    """Every field is required, no other is allowed, and only the symbol that is asked about may be named."""
    form = response_format(_ASKED)["json_schema"]
    assert isinstance(form, dict)
    schema = form["schema"]
    assert form["strict"] is True
    assert set(schema["required"]) == set(schema["properties"]) == {"action", "confidence", "rationale", "symbol"}
    assert schema["additionalProperties"] is False
    assert schema["properties"]["symbol"]["enum"] == [_ASKED]
