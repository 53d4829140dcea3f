"""How a value of Python becomes a value of JSON: without losing any of it, or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import JsonValue

from trading.workflow.errors import ArtifactInvalid

_LEVELS_MAX = 32
_DIGITS_MAX = 60
_INTEGER_BITS_MAX = 64
# numpy's own times have no zone, and those in nanoseconds would turn into plain numbers.
_NUMPY_TIMES = frozenset("mM")


def encode(value: object, *, field: str) -> JsonValue:
    """Turn a value into what JSON and the database can carry.

    Decimals become strings, since money is never a float; times and dates ISO 8601; an enumeration's member its value;
    numpy's scalars what they hold and its arrays lists; a set a list in a fixed order. Nothing else is guessed at:
    bytes and objects, NaN and infinities, a time without its zone are errors.

    Args:
        value: anything.
        field: where it stands, for the error.

    Raises:
        ArtifactInvalid: names the field whose value cannot be carried.
    """
    return _encode(value, field, 1)


def _encode(value: object, field: str, level: int) -> JsonValue:
    if level > _LEVELS_MAX:
        raise ArtifactInvalid(f"{field} lies more than {_LEVELS_MAX} levels deep: does something contain itself?")
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            return encoder(value, field, level)
    if isinstance(dimensions := getattr(value, "ndim", None), int):
        return _encode_numpy(value, dimensions, field, level)
    return _encode_scalar(value, field)


def _encode_member(value: Enum, field: str, level: int) -> JsonValue:
    return _encode(value.value, field, level)


def _encode_mapping(value: Mapping[object, object], field: str, level: int) -> JsonValue:
    encoded: dict[str, JsonValue] = {}
    for given, item in value.items():
        key = given.value if isinstance(given, Enum) else given
        if isinstance(key, bool) or not isinstance(key, str | int | date):
            raise ArtifactInvalid(f"{field} has a key of type {type(key).__name__}: expected a text, a number or a day")
        name = str(_encode_scalar(key, f"{field}.{key}"))
        if name in encoded:
            raise ArtifactInvalid(f"{field}.{name} occurs twice: two keys are written alike")
        encoded[name] = _encode(item, f"{field}.{name}", level + 1)
    return encoded


def _encode_set(values: AbstractSet[object], field: str, level: int) -> JsonValue:
    items = [_encode(item, f"{field}[]", level + 1) for item in values]
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _encode_sequence(values: Sequence[object], field: str, level: int) -> JsonValue:
    return [_encode(item, f"{field}[{place}]", level + 1) for place, item in enumerate(values)]


def _encode_numpy(value: object, dimensions: int, field: str, level: int) -> JsonValue:
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    tolist: Callable[[], object] | None = getattr(value, "tolist", None)
    # pandas' tables and series have dimensions too; their index would be lost.
    if tolist is None or hasattr(value, "index") or kind in _NUMPY_TIMES:
        raise _cannot_carry(value, field)
    held = tolist()
    return _encode(held, field, level) if dimensions else _encode_scalar(held, field)


def _encode_scalar(value: object, field: str, _level: int = 0) -> JsonValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _encode_text(value, field)
    if isinstance(value, int):
        if value.bit_length() >= _INTEGER_BITS_MAX:
            raise ArtifactInvalid(
                f"{field} is an integer of {value.bit_length()} bits: expected one of 64 with its sign"
            )
        return int(value)
    if isinstance(value, float | Decimal):
        return _encode_number(value, field)
    if isinstance(value, date):
        return _encode_time(value, field)
    raise _cannot_carry(value, field)


def _cannot_carry(value: object, field: str) -> ArtifactInvalid:
    return ArtifactInvalid(f"{field} is of type {type(value).__name__}: JSON cannot carry it")


def _encode_text(value: str, field: str) -> str:
    # The database has no place for the one, and UTF-8 none for the other.
    if "\0" in value:
        raise ArtifactInvalid(f"{field} contains a NUL character, which the database cannot store")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as half:
            raise ArtifactInvalid(f"{field} contains half a character at place {half.start}: no UTF-8") from half
    return str(value)


def _encode_number(value: float | Decimal, field: str) -> JsonValue:
    if not (math.isfinite(value) if isinstance(value, float) else value.is_finite()):
        raise ArtifactInvalid(f"{field} is {value}: expected a finite number")
    if isinstance(value, float):
        return float(value)
    # Written out, 1E+999999 is a million digits long.
    if value and not -_DIGITS_MAX < value.adjusted() < _DIGITS_MAX:
        raise ArtifactInvalid(f"{field} is {value:.3e}: expected a number of at most {_DIGITS_MAX} digits")
    return format(value, "f")


def _encode_time(value: date, field: str) -> str:
    # Of all values only pandas' missing time, which calls itself a datetime, differs from itself.
    if value != value:  # noqa: PLR0124 - as above
        raise ArtifactInvalid(f"{field} is {value}: expected a time")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ArtifactInvalid(f"{field} is {value}: expected a time with its zone")
    return value.isoformat()


# The first that fits. Texts and bytes are sequences as well, and numpy's kind of text has dimensions.
_ENCODERS: tuple[tuple[type | tuple[type, ...], Callable[[Any, str, int], JsonValue]], ...] = (
    (Enum, _encode_member),
    ((str, bytes, bytearray, memoryview), _encode_scalar),
    (Mapping, _encode_mapping),
    (AbstractSet, _encode_set),
    (Sequence, _encode_sequence),
)
