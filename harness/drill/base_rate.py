"""Log lines against a base rate: what the system writes also without the fault proves no hit."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many lines of one kind were written under a fault, and how many in the steady run.

    Args:
        under: those written while the fault was on.
        under_s: for how long that was, in seconds.
        without: those written in the steady run.
        without_s: how long that was, in seconds; 0 where there was none.
    """

    under: int
    under_s: float
    without: int
    without_s: float

    @property
    def predicted(self) -> int:
        """How many of them would have been written without the fault too, rounded up."""
        if self.without_s <= 0:
            return self.without
        # A rate that is whole must not become one more for a rounding error.
        return math.ceil(round(self.without / self.without_s * self.under_s, 6))

    @property
    def beyond(self) -> int:
        """How many more were written than that: these are hits."""
        return max(0, self.under - self.predicted)

    def told(self) -> str:
        """Both figures, for a person."""
        return (
            f"{self.under} in {self.under_s:.1f} s under it, {self.predicted} of which would have been written without "
            f"it: {self.without} were in {self.without_s:.1f} s of the steady run"
        )
