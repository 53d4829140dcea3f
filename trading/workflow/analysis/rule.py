"""The signal of a fixed rule: two moving averages say which way, strength and range say how sure."""

from __future__ import annotations

from trading.workflow.analysis.indicators import FAST_BARS, SLOW_BARS, Indicators
from trading.workflow.analysis.signal import Action, Signal
from trading.workflow.market_data import MarketData

MODEL_NAME = "rule-based/ema-rsi-atr/1"

_OVERBOUGHT = 70
_OVERSOLD = 30


def signal_by_rule(data: MarketData, indicators: Indicators, *, failure: str) -> Signal:
    """Apply the rule; nothing may be done for the signal that comes of it.

    Args:
        data: the symbol's bars.
        indicators: of its daily bars.
        failure: why no model's word can be had.
    """
    action, confidence, rationale = _decide(indicators)
    return Signal(
        symbol=data.instrument.symbol,
        action=action,
        confidence=confidence,
        rationale=rationale,
        source="rule",
        model_name=MODEL_NAME,
        actionable=False,
        no_order_reason=f"no order is placed on the rule's word alone; no model's was to be had ({failure})",
        indicators=indicators.by_name(),
        close=data.daily[-1].close,
    )


def _decide(indicators: Indicators) -> tuple[Action, float, str]:
    fast, slow, strength, spread = indicators.fast, indicators.slow, indicators.strength, indicators.spread
    if fast is None or slow is None or strength is None or not spread:
        return "HOLD", 0.0, "HOLD: there are too few bars for the indicators, or their prices never moved."
    action: Action = "BUY" if fast >= slow else "SELL"
    distance = abs(fast - slow) / spread
    stretched = strength >= _OVERBOUGHT if action == "BUY" else strength <= _OVERSOLD
    confidence = min(1.0, distance) / (2 if stretched else 1)
    side = "at or above" if action == "BUY" else "below"
    rationale = (
        f"{action}: the {FAST_BARS}-day average {fast:.4f} is {side} the {SLOW_BARS}-day average {slow:.4f}, "
        f"{distance:.2f} daily ranges apart; strength index {strength:.1f}"
        f"{', already stretched, which halves the confidence' if stretched else ''}."
    )
    return action, round(confidence, 4), rationale
