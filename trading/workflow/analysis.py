"""The signal of a fixed rule: two moving averages say which way, strength and range say how sure."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from ta.momentum import RSIIndicator
from ta.trend import EMAIndicator
from ta.volatility import AverageTrueRange

from trading.workflow.frames import frame_of
from trading.workflow.market_data import MarketData

MODEL_NAME = "rule-based/ema-rsi-atr/1"

FAST_DAYS = 12
SLOW_DAYS = 26
STRENGTH_DAYS = 14
RANGE_DAYS = 14
_OVERBOUGHT = 70
_OVERSOLD = 30

Action = Literal["BUY", "SELL", "HOLD"]


class Signal(BaseModel):
    """What the rule says about a symbol; it travels between tasks as plain JSON.

    Args:
        confidence: 0 to 1.
        indicators: by name; None where there are too few bars to tell.
        close: the newest daily close, in dollars a share.
        rationale: the rule in words, with its numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    action: Action
    confidence: float = Field(ge=0, le=1)
    indicators: dict[str, Decimal | None]
    close: Decimal
    rationale: str
    model_name: str = MODEL_NAME


def analyse(data: MarketData) -> Signal:
    """Apply the rule to a symbol's daily bars."""
    frame = frame_of(data.daily)
    fast = _last(EMAIndicator(frame["Close"], FAST_DAYS).ema_indicator().iloc[-1], len(frame), FAST_DAYS)
    slow = _last(EMAIndicator(frame["Close"], SLOW_DAYS).ema_indicator().iloc[-1], len(frame), SLOW_DAYS)
    strength = _last(RSIIndicator(frame["Close"], STRENGTH_DAYS).rsi().iloc[-1], len(frame), STRENGTH_DAYS)
    spread = None
    # The library's range fails on fewer bars than its window, where the other two answer NaN.
    if len(frame) > RANGE_DAYS:
        ranges = AverageTrueRange(frame["High"], frame["Low"], frame["Close"], RANGE_DAYS).average_true_range()
        spread = _last(ranges.iloc[-1], len(frame), RANGE_DAYS)
    action, confidence, rationale = _decide(fast, slow, strength, spread)
    return Signal(
        symbol=data.instrument.symbol,
        action=action,
        confidence=confidence,
        indicators={
            f"ema_{FAST_DAYS}": _rounded(fast),
            f"ema_{SLOW_DAYS}": _rounded(slow),
            f"rsi_{STRENGTH_DAYS}": _rounded(strength),
            f"atr_{RANGE_DAYS}": _rounded(spread),
        },
        close=data.daily[-1].close,
        rationale=rationale,
    )


def _last(value: float, bars: int, window: int) -> float | None:
    return float(value) if bars > window and math.isfinite(value) else None


def _decide(
    fast: float | None, slow: float | None, strength: float | None, spread: float | None
) -> tuple[Action, float, str]:
    if fast is None or slow is None or strength is None or not spread:
        return "HOLD", 0.0, "There are too few bars for the indicators, so nothing is done."
    action: Action = "BUY" if fast >= slow else "SELL"
    confidence = min(1.0, abs(fast - slow) / spread)
    stretched = strength >= _OVERBOUGHT if action == "BUY" else strength <= _OVERSOLD
    if stretched:
        confidence /= 2
    side = "at or above" if action == "BUY" else "below"
    rationale = (
        f"{action}: the {FAST_DAYS}-day average {fast:.4f} is {side} the {SLOW_DAYS}-day average {slow:.4f}, "
        f"{abs(fast - slow) / spread:.2f} daily ranges apart; strength index {strength:.1f}"
        f"{', already stretched, which halves the confidence' if stretched else ''}."
    )
    return action, round(confidence, 4), rationale


def _rounded(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")


def question(data: MarketData) -> str:
    """Put into words what the rule is asked."""
    newest = data.daily[-1]
    return (
        f"Signal for {data.instrument.symbol} from {len(data.daily)} daily bars, {data.daily[0].day} to {newest.day}, "
        f"newest close {newest.close}, by the rule {MODEL_NAME}: BUY when the {FAST_DAYS}-day exponential average of "
        f"closes is at or above the {SLOW_DAYS}-day one, else SELL; HOLD when an indicator is undefined."
    )
