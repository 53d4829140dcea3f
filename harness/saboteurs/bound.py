"""How sure one can be of a share after so many tries: the exact interval of Clopper and Pearson.

Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26 (1934).
"""

from __future__ import annotations

import math
from collections.abc import Callable

CONFIDENCE = 0.95
_STEPS = 60


def lower_bound(hits: int, tries: int) -> float:
    """The lower end of the 95 % interval of a share.

    Args:
        hits: how often it was so.
        tries: how often it was tried.
    """
    if hits == 0:
        return 0.0
    # The share with which so many hits, or more, would still come in one of forty series.
    return _root(lambda share: _at_least(hits, tries, share))


def upper_bound(hits: int, tries: int) -> float:
    """The upper end of the 95 % interval of a share; 1 when nothing was tried."""
    return 1.0 - lower_bound(tries - hits, tries)


def _at_least(hits: int, tries: int, share: float) -> float:
    return math.fsum(
        math.comb(tries, count) * share**count * (1 - share) ** (tries - count) for count in range(hits, tries + 1)
    )


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < (1 - CONFIDENCE) / 2 else (low, middle)
    return low
