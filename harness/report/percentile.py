"""Percentiles of a few measurements."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below or at which so large a share of the values lies, by nearest rank: always one that was measured.

    Args:
        values: at least one.
        share: more than 0, at most 1 (0.95 for p95).
    """
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked) - 1e-9) - 1)]
