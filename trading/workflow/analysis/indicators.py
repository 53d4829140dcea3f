"""Moving averages, strength and range of bars, by the `ta` library: for the signal, the prompt and the charts alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
from ta.momentum import RSIIndicator
from ta.trend import EMAIndicator
from ta.volatility import AverageTrueRange

FAST_BARS = 12
SLOW_BARS = 26
STRENGTH_BARS = 14
RANGE_BARS = 14


@dataclass(frozen=True, slots=True)
class Indicators:
    """Where the newest bar stands; None where there are too few bars to tell.

    Args:
        fast: the exponential average of the closes of 12 bars.
        slow: the exponential average of the closes of 26 bars.
        strength: the relative strength index of 14 bars, 0 to 100.
        spread: the average true range of 14 bars.
    """

    fast: float | None
    slow: float | None
    strength: float | None
    spread: float | None

    def by_name(self) -> dict[str, Decimal | None]:
        """The values under the names by which they are known, to four places."""
        return {
            f"ema_{FAST_BARS}": _rounded(self.fast),
            f"ema_{SLOW_BARS}": _rounded(self.slow),
            f"rsi_{STRENGTH_BARS}": _rounded(self.strength),
            f"atr_{RANGE_BARS}": _rounded(self.spread),
        }


def indicators_of(frame: pd.DataFrame) -> Indicators:
    """Compute the indicators of a frame's newest bar."""
    spread = None
    # The library's range fails on fewer bars than its window, where the other two answer NaN.
    if len(frame) > RANGE_BARS:
        ranges = AverageTrueRange(frame["High"], frame["Low"], frame["Close"], RANGE_BARS).average_true_range()
        spread = _newest(ranges, RANGE_BARS)
    return Indicators(
        fast=_newest(average(frame, FAST_BARS), FAST_BARS),
        slow=_newest(average(frame, SLOW_BARS), SLOW_BARS),
        strength=_newest(strength(frame), STRENGTH_BARS),
        spread=spread,
    )


def average(frame: pd.DataFrame, bars: int) -> pd.Series[float]:
    """The exponential average of closes, bar by bar; NaN where there are too few before it."""
    averaged: pd.Series[float] = EMAIndicator(frame["Close"], bars).ema_indicator()
    return averaged


def strength(frame: pd.DataFrame) -> pd.Series[float]:
    """The relative strength index of closes, bar by bar; NaN where there are too few before it."""
    index: pd.Series[float] = RSIIndicator(frame["Close"], STRENGTH_BARS).rsi()
    return index


def _newest(series: pd.Series[float], window: int) -> float | None:
    value = float(series.iloc[-1])
    return value if len(series) > window and math.isfinite(value) else None


def _rounded(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")
