"""Bars as a pandas frame, for drawing and for indicators."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trading.workflow.market_data import Bar


def frame_of(bars: Sequence[Bar]) -> pd.DataFrame:
    """Make a frame with the columns Open, High, Low, Close, Volume, indexed by day.

    Its floats are for pixels and statistics only; no amount of money is taken from it.
    """
    return pd.DataFrame(
        {
            "Open": [float(bar.open) for bar in bars],
            "High": [float(bar.high) for bar in bars],
            "Low": [float(bar.low) for bar in bars],
            "Close": [float(bar.close) for bar in bars],
            "Volume": [float(bar.volume) for bar in bars],
        },
        index=pd.DatetimeIndex([pd.Timestamp(bar.day) for bar in bars], name="Date"),
    )
