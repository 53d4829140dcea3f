"""An artifact is checked before it is sent: what JSON cannot carry is named, and money stays exact."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

import numpy as np
import pytest

from tests.trading.parts import task
from trading.workflow.artifact import encode
from trading.workflow.errors import ArtifactInvalid


class Colour(StrEnum):
    """Some enumeration."""

    RED = "red"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1000"),
        (datetime(2026, 11, 23, 9, 14, tzinfo=UTC), "2026-11-23T09:14:00+00:00"),
        (date(2026, 11, 23), "2026-11-23"),
        (Colour.RED, "red"),
        (np.int64(7), 7),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        ({"a": (Decimal(1), None)}, {"a": ["1", None]}),
    ],
)
def test_encoding_keeps_the_value(value: object, encoded: object) -> None:
    """Each kind of value has one way to be written, which JSON can carry."""
    assert json.loads(json.dumps(encode(value, field="x"))) == encoded


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), np.float64("nan"), datetime(2026, 1, 1), b"x", object(), np.zeros(3)],  # noqa: DTZ001 - a time without a zone is what is refused
)
def test_encoding_names_the_field_that_json_cannot_carry(value: object) -> None:
    """Nothing is dropped or bent in silence."""
    with pytest.raises(ArtifactInvalid, match=r"metadata\.deep\[1\]"):
        encode({"deep": [0, value]}, field="metadata")


def test_artifact_without_what_its_type_needs_is_refused() -> None:
    """A chart without a picture is no chart."""
    with pytest.raises(ArtifactInvalid, match="image_path"):
        task("run").artifact("chart", "AAPL daily chart", chart_type="daily")


def test_artifact_of_unreasonable_size_is_refused() -> None:
    """What the backend would refuse is refused before it is sent."""
    with pytest.raises(ArtifactInvalid, match="bytes"):
        task("run").artifact("trade", "AAPL trades", metadata={"x": "y" * 5_000_000}).body()


def test_idempotency_key_tells_artifacts_apart() -> None:
    """Another run, task, type, symbol or name is another artifact; the same again is the same."""
    first = task("run", "a").artifact("trade", "n", symbol="AAPL", metadata={"x": 1})
    others = [
        task("run2", "a").artifact("trade", "n", symbol="AAPL", metadata={"x": 1}),
        task("run", "b").artifact("trade", "n", symbol="AAPL", metadata={"x": 1}),
        task("run", "a").artifact("order", "n", symbol="AAPL", metadata={"x": 1}),
        task("run", "a").artifact("trade", "n", symbol="MSFT", metadata={"x": 1}),
        task("run", "a").artifact("trade", "m", symbol="AAPL", metadata={"x": 1}),
    ]
    assert len({artifact.idempotency_key for artifact in [first, *others]}) == 6
    again = task("run", "a").artifact("trade", "n", symbol="AAPL", metadata={"x": 2})
    assert again.idempotency_key == first.idempotency_key
