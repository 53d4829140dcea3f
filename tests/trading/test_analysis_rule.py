"""The rule follows the averages, and no signal of its own can be acted upon."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.trading.analysis_parts import a_market
from trading.workflow.analysis.indicators import indicators_of
from trading.workflow.analysis.rule import signal_by_rule
from trading.workflow.analysis.signal import Signal
from trading.workflow.frames import frame_of
from trading.workflow.market_data import MarketData


def by_rule(market: MarketData) -> Signal:
    """The rule's signal on a market."""
    return signal_by_rule(market, indicators_of(frame_of(market.daily)), failure="refused: no server there")


@pytest.mark.parametrize(("count", "step", "action"), [(60, "0.5", "BUY"), (60, "-0.5", "SELL"), (20, "0.5", "HOLD")])
def test_rule_follows_the_averages(count: int, step: str, action: str) -> None:
    """Climbing prices buy, falling ones sell, and too few bars hold; whichever it is, nothing is done."""
    signal = by_rule(a_market(count=count, step=step))
    assert (signal.action, signal.source, signal.actionable) == (action, "rule", False)
    assert 0 <= signal.confidence <= 1
    assert (None in signal.indicators.values()) == (action == "HOLD")
    assert "refused: no server there" in signal.no_order_reason


@pytest.mark.parametrize("count", range(1, 31))
def test_rule_speaks_on_any_number_of_bars(count: int) -> None:
    """Indicators need up to 26 bars before the newest; where there are fewer, the rule holds."""
    signal = by_rule(a_market(count=count))
    assert (signal.action == "HOLD") == (count <= 26)


def test_rule_holds_when_prices_never_moved() -> None:
    """A range of nothing says nothing about how far apart the averages are."""
    still = [bar.model_copy(update={"high": bar.close, "low": bar.close}) for bar in a_market(step="0").daily]
    assert by_rule(a_market().model_copy(update={"daily": tuple(still)})).action == "HOLD"


@pytest.mark.parametrize(
    "change",
    [
        {"actionable": True},
        {"actionable": True, "no_order_reason": ""},
        {"source": "model", "action": "HOLD", "actionable": True, "no_order_reason": ""},
        {"source": "model", "actionable": True},
        {"source": "model", "no_order_reason": ""},
        {"confidence": float("nan")},
        {"confidence": 1.5},
    ],
)
def test_signal_that_contradicts_itself_cannot_be(change: dict[str, object]) -> None:
    """What place_order reads cannot say that a rule's word, or a HOLD, is to be acted upon."""
    sound = by_rule(a_market()).model_dump()
    Signal.model_validate(sound)
    with pytest.raises(ValidationError):
        Signal.model_validate(sound | change)


def test_signal_comes_through_json_unchanged() -> None:
    """It travels between tasks as JSON, with its decimals exact."""
    signal = by_rule(a_market(step="0.01"))
    assert Signal.model_validate(signal.model_dump(mode="json")) == signal
