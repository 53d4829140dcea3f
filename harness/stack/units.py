"""Compose's durations and sizes, in seconds and bytes.

Source: https://docs.docker.com/reference/compose-file/extension/#specifying-durations and #specifying-byte-values
"""

from __future__ import annotations

import re

_DURATION_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_SIZE_STEPS = ("", "k", "m", "g", "t")
_KIB = 1024


def seconds(value: object) -> float:
    """Read ``1m30s`` or ``500ms``; a number counts seconds.

    Raises:
        ValueError: it is no duration.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"a duration is written like 1m30s or 500ms, not {value!r}")
    return sum(float(number) * _DURATION_UNITS_S[unit] for number, unit in parts)


def size_bytes(value: object) -> int:
    """Read ``64m`` or ``1.5gb``; a number counts bytes.

    Raises:
        ValueError: it is no size.
    """
    match = _SIZE.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool):
        raise ValueError(f"a size is written like 64m or 1gb, not {value!r}")
    return int(float(match[1]) * _KIB ** _SIZE_STEPS.index(match[2].lower()))
