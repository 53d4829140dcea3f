"""Contents in a form in which two runs can be compared: what differs by nature taken out, and digested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

_ANY = "*"
_DIGEST_BYTES = 12
_NOTHING: tuple[object, ...] = (None, "", {}, [])


def digests(columns: Mapping[str, object], varies: Sequence[str], run_id: str | None) -> tuple[tuple[str, str], ...]:
    """The digest of each column's canonical form.

    Args:
        columns: values by name, in any order.
        varies: what is left out, as dotted paths that begin with a column; ``*`` stands for any key or place.
        run_id: stands in contents for whichever run it is, so that two runs' can be the same.

    Returns:
        Pairs of name and digest, by name; an empty digest of a column that holds nothing.
    """
    paths = [path.split(".") for path in varies]
    return tuple((name, _digest(name, columns[name], paths, run_id)) for name in sorted(columns))


def _digest(name: str, value: object, paths: Sequence[Sequence[str]], run_id: str | None) -> str:
    for path in paths:
        if path[0] in (name, _ANY):
            value = _without(value, path[1:])
    if value in _NOTHING:
        return ""
    text = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if run_id:
        text = text.replace(json.dumps(run_id)[1:-1], "{run}")
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _without(value: object, path: Sequence[str]) -> object:
    if not path:
        return None
    key, rest = path[0], path[1:]
    if isinstance(value, dict):
        kept = {name: _without(item, rest) if key in (name, _ANY) else item for name, item in value.items()}
        return {name: item for name, item in kept.items() if rest or key not in (name, _ANY)}
    if isinstance(value, list):
        return [_without(item, rest) if key in (str(place), _ANY) else item for place, item in enumerate(value)]
    return value


def _plain(value: object) -> object:
    """A value as JSON has it; numbers that are equal look equal."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bool() | None | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case datetime() | date():
            return value.isoformat()
    return str(value)


def _number(value: float | Decimal) -> str:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return format(exact.normalize(), "f") if exact.is_finite() else str(exact)
