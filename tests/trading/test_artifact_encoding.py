"""A value is written in the one way that is defined for it, or is an error that names its field."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.workflow.artifact_encoding import encode
from trading.workflow.errors import ArtifactInvalid


class Colour(StrEnum):
    """An enumeration of texts."""

    RED = "red"


class Number(IntEnum):
    """An enumeration of numbers."""

    TWO = 2


class Price(Enum):
    """An enumeration of values that need an encoding themselves."""

    LIMIT = Decimal("192.50")


def cyclic() -> list[Any]:
    """A list that contains itself."""
    itself: list[Any] = []
    itself.append(itself)
    return itself


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (None, None),
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (0.1, 0.1),
        ("é€😀", "é€😀"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.000001"), "-0.000001"),
        (datetime(2026, 11, 23, 9, 14, tzinfo=UTC), "2026-11-23T09:14:00+00:00"),
        (date(2026, 11, 23), "2026-11-23"),
        (Colour.RED, "red"),
        (Number.TWO, 2),
        (Price.LIMIT, "192.50"),
        (np.int64(7), 7),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(5), 5),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pd.Timestamp("2026-11-23 09:14", tz="UTC"), "2026-11-23T09:14:00+00:00"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({Decimal(2), "a"}), ["2", "a"]),
        ((1, [2, (3,)]), [1, [2, [3]]]),
        ({"a": (Decimal(1), None)}, {"a": ["1", None]}),
        ({1: "x", date(2026, 11, 23): "y", Colour.RED: "z"}, {"1": "x", "2026-11-23": "y", "red": "z"}),
    ],
)
def test_value_has_one_encoding_that_json_carries(value: object, encoded: object) -> None:
    """What comes out of JSON again is what is defined."""
    assert json.loads(json.dumps(encode(value, field="x"), allow_nan=False)) == encoded


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (float("-inf"), "finite"),
        (Decimal("NaN"), "finite"),
        (Decimal("sNaN"), "finite"),
        (Decimal("Infinity"), "finite"),
        (Decimal("1E+999999"), "60 digits"),
        (Decimal("1E-999999"), "60 digits"),
        (2**63, "64 bits"),
        (np.float64("nan"), "finite"),
        (np.datetime64("2026-11-23"), "datetime64"),
        (np.datetime64("2026-11-23T09:14:00.000000001"), "datetime64"),
        (np.complex128(1), "complex"),
        (datetime(2026, 1, 1), "zone"),  # noqa: DTZ001 - a time without a zone is what is refused
        (pd.Timestamp("2026-01-01"), "zone"),
        (pd.NaT, "expected a time"),
        (pd.NA, "NAType"),
        (pd.Series([1]), "Series"),
        (pd.DataFrame({"a": [1]}), "DataFrame"),
        (pd.Timedelta(1, "s"), "Timedelta"),
        (timedelta(1), "timedelta"),
        (time(9, 14), "time"),
        (b"x", "bytes"),
        (bytearray(b"x"), "bytearray"),
        (memoryview(b"x"), "memoryview"),
        (object(), "object"),
        ("a\0b", "NUL"),
        ("a\ud800b", "half a character at place 1"),
        ({1: "a", "1": "b"}, "twice"),
        ({(1, 2): "a"}, "tuple"),
        ({1.5: "a"}, "float"),
        (cyclic(), "levels"),
    ],
)
def test_value_without_an_encoding_is_named_by_its_field(value: object, why: str) -> None:
    """Nothing is dropped or bent in silence: the error says where it stands and what is wrong with it."""
    with pytest.raises(ArtifactInvalid, match=rf"^metadata\.deep\[1\].*{why}"):
        encode({"deep": [0, value]}, field="metadata")


def test_value_within_an_array_is_named_by_its_place() -> None:
    """An array of prices with a hole in it."""
    with pytest.raises(ArtifactInvalid, match=r"^prices\[1\]\[0\] is nan"):
        encode(np.array([[1.0, 2.0], [np.nan, 3.0]]), field="prices")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals() | st.dates() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(value=ANYTHING)
@settings(max_examples=150, deadline=None)
def test_any_value_is_encoded_or_refused(value: object) -> None:
    """There is no third way: what is encoded survives JSON as it is, and encoding it again changes nothing."""
    try:
        encoded = encode(value, field="x")
    except ArtifactInvalid as refused:
        assert str(refused).startswith("x")  # noqa: PT017 - both ways are right
        return
    assert json.loads(json.dumps(encoded, allow_nan=False)) == encoded
    assert encode(encoded, field="x") == encoded
