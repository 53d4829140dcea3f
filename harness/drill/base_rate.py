"""Log lines against a base rate: what the system writes also without the fault proves no hit."""

from __future__ import annotations

import math
from dataclasses import dataclass

_DEVIATIONS = 3.0


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
        """How many more were written than that: these are hits; none, as far as chance may explain them.

        Lines come unevenly, more so on a busy machine. A surplus within three standard deviations, of lines that come
        by chance at the rate of the steady run, shows nothing.
        """
        surplus = self.under - self.predicted
        variance = self.predicted + (self.predicted**2 / self.without if self.without else 0.0)
        return surplus if surplus > _DEVIATIONS * math.sqrt(variance) else 0

    def told(self) -> str:
        """Both figures, for a person."""
        return (
            f"{self.under} in {self.under_s:.1f} s under it, {self.predicted} of which would have been written without "
            f"it: {self.without} were in {self.without_s:.1f} s of the steady run"
        )
