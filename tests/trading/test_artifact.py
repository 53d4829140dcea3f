"""An artifact is checked before it is sent: what its type needs, its ranges and sizes, and that money stays exact."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.trading.parts import task
from trading.workflow.artifact import Artifact
from trading.workflow.errors import ArtifactInvalid
from trading.workflow.settings import WorkflowSettings

_ORDER = {"status": "FILLED", "quantity": Decimal(10), "filled": Decimal(10), "avg_price": Decimal("192.51")}
_FILL = {"shares": Decimal(10), "price": Decimal("192.51"), "commission": None, "exec_id": "0001"}

# Each type with all that it needs.
WHOLE: Mapping[str, Mapping[str, Any]] = {
    "llm": {"prompt": "What to do?", "response": "Nothing.", "model_name": "rule/1"},
    "chart": {"image_path": "a.png", "chart_type": "daily", "chart_data": {"close": Decimal("192.50")}},
    "signal": {"action": "HOLD", "confidence": 0.5, "signal_data": {"close": Decimal("192.50"), "confidence": 0.5}},
    "order": {"metadata": _ORDER},
    "trade": {"metadata": {"executions": [_FILL]}},
    "portfolio": {"metadata": {"values": {"NetLiquidation": (Decimal("1000.00"), "USD")}, "positions": []}},
    "market_data": {"metadata": {"bars": [{"close": Decimal("192.50")}]}},
}


def whole(kind: str, **changes: object) -> Artifact:
    """An artifact of a type with all that it needs, but for the changes."""
    fields: dict[str, Any] = {"symbol": "AAPL", **WHOLE[kind], **changes}
    return task("run").artifact(kind, "a name", **fields)  # type: ignore[arg-type]  # some are wrong on purpose


@pytest.mark.parametrize("kind", WHOLE)
def test_artifact_with_all_that_its_type_needs_is_taken(kind: str) -> None:
    """Its body is JSON with the fields of the API."""
    body = json.loads(whole(kind).body())
    assert (body["type"], body["symbol"], body["execution_id"]) == (kind, "AAPL", "run")


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, fields in WHOLE.items() for field in fields if field != "chart_data"],
)
def test_artifact_without_what_its_type_needs_is_refused(kind: str, field: str) -> None:
    """A chart without a picture is no chart."""
    with pytest.raises(ArtifactInvalid, match=rf"{kind} needs {field}"):
        whole(kind, **{field: None})


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("signal", {"confidence": 1.01}, "confidence"),
        ("signal", {"confidence": -0.01}, "confidence"),
        ("signal", {"confidence": float("nan")}, "confidence"),
        ("signal", {"action": "SHORT"}, "action"),
        ("signal", {"signal_data": {"close": 192.5}}, "signal_data.close"),
        ("signal", {"signal_data": {"close": "dear"}}, "signal_data.close"),
        ("chart", {"image_path": "../secret.png"}, "image_path"),
        ("chart", {"image_path": "a/../../secret.png"}, "image_path"),
        ("chart", {"image_path": "/etc/passwd"}, "image_path"),
        ("chart", {"image_path": "..\\secret.png"}, "image_path"),
        ("chart", {"image_path": "C:secret.png"}, "image_path"),
        ("chart", {"image_path": ""}, "image_path"),
        ("chart", {"image_path": "a\0.png"}, "image_path"),
        ("chart", {"chart_data": {"close": 192.5}}, "chart_data.close"),
        ("order", {"metadata": {}}, "metadata.status"),
        ("order", {"metadata": [1]}, "metadata"),
        ("order", {"metadata": {**_ORDER, "quantity": 10.0}}, "metadata.quantity is a float"),
        ("order", {"metadata": {**_ORDER, "quantity": 10}}, "metadata.quantity"),
        ("order", {"metadata": {**_ORDER, "quantity": "ten"}}, "metadata.quantity"),
        ("order", {"metadata": {**_ORDER, "quantity": Decimal(0)}}, "metadata.quantity"),
        ("order", {"metadata": {**_ORDER, "filled": Decimal(-1)}}, "metadata.filled"),
        ("order", {"metadata": {**_ORDER, "avg_price": 192.51}}, "metadata.avg_price is a float"),
        ("order", {"metadata": {**_ORDER, "note": {"deep": [1, 0.5]}}}, r"metadata.note.deep\[1\] is a float"),
        ("trade", {"metadata": {}}, "metadata.executions"),
        ("trade", {"metadata": {"executions": [{**_FILL, "shares": Decimal(-1)}]}}, "metadata.executions.0.shares"),
        ("trade", {"metadata": {"executions": [{**_FILL, "price": "NaN"}]}}, "metadata.executions.0.price"),
        (
            "portfolio",
            {"metadata": {"values": {"NetLiquidation": 1000.0}}},
            "metadata.values.NetLiquidation is a float",
        ),
        ("market_data", {"metadata": {"bars": [{"close": 192.5}]}}, r"metadata.bars\[0\].close is a float"),
        ("llm", {"prompt": "x" * 1_000_001}, "prompt"),
        ("llm", {"response": "x" * 1_000_001}, "response"),
        ("llm", {"response": "a\0"}, "response contains a NUL"),
        ("llm", {"model_name": "m" * 301}, "model_name"),
        ("llm", {"symbol": ""}, "symbol"),
        ("llm", {"symbol": "A\x1fB"}, "symbol"),
        ("llm", {"flavour": "sweet"}, "flavour"),
    ],
)
def test_artifact_with_a_wrong_value_is_refused_by_its_field(
    kind: str, changes: Mapping[str, object], named: str
) -> None:
    """Ranges, sizes, places outside the folder, and above all money that is a float: the error names the field."""
    with pytest.raises(ArtifactInvalid, match=named):
        whole(kind, **changes)


def test_artifact_made_without_a_task_is_checked_alike() -> None:
    """The checks are the artifact's own."""
    fields = {"name": "n", "type": "order", "execution_id": "r", "dag_id": "d", "task_id": "t", "step_name": "s"}
    artifact = Artifact.model_validate({**fields, "metadata": _ORDER})
    assert json.loads(artifact.body())["metadata"]["avg_price"] == "192.51"
    with pytest.raises(ValidationError, match=r"metadata\.avg_price is nan"):
        Artifact.model_validate({**fields, "metadata": {**_ORDER, "avg_price": float("nan")}})


def test_artifact_of_unreasonable_size_is_refused() -> None:
    """What the backend would refuse is refused before it is sent, and the field that is to blame is named."""
    with pytest.raises(ArtifactInvalid, match=r"5\d+ bytes.*metadata alone"):
        whole("portfolio", metadata={"x": "y" * 5_000_000}).body()


def test_artifact_repeats_under_the_same_key() -> None:
    """The key does not depend on what is in the artifact: a task that runs again may have newer numbers."""
    assert whole("order").idempotency_key == whole("order", metadata={"status": "NONE"}).idempotency_key


def test_artifacts_that_differ_have_keys_that_differ() -> None:
    """Another run, task, step, type, symbol or name is another artifact, however the words are cut."""
    words = ("a", "b", "ab", "a b")
    keys = {
        Artifact(
            name=name, type=kind, execution_id=run, dag_id="d", task_id=name_of_task, step_name=step, symbol=symbol,
            metadata={"x": 1},
        ).idempotency_key
        for name, run, name_of_task, step in itertools.product(words, repeat=4)
        for kind in ("portfolio", "market_data")
        for symbol in (None, "a")
    }  # fmt: skip
    assert len(keys) == 4**4 * 4


def test_storage_settings_have_bounds() -> None:
    """A deadline of nothing is none."""
    with pytest.raises(ValidationError, match="artifact_total_s"):
        WorkflowSettings.model_validate(
            {"backend_api_url": "http://h", "database_url": "postgresql://u@h/d", "artifact_total_s": 0}
        )
