"""What a model is asked: the bars and indicators of one symbol, and the form that its answer must have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from trading.workflow.analysis.indicators import Indicators
from trading.workflow.analysis.verdict import RATIONALE_MAX_CHARACTERS, response_format
from trading.workflow.market_data import Bar, MarketData

_DAYS = 60
_WEEKS = 26

_INSTRUCTIONS = (
    "You judge one stock for an automatic trading system. The user's message is a JSON object: the stock's symbol and "
    "currency, its daily and weekly bars (oldest first, prices for one share), and indicators of the daily bars (null "
    "where there are too few bars). Judge by nothing else. Answer with one JSON object. action: BUY, SELL or HOLD; "
    "HOLD when the bars favour neither side. confidence: your probability that the action is right, from 0 to 1. "
    f"rationale: plain text of at most {RATIONALE_MAX_CHARACTERS} characters that names the figures you relied on. "
    "symbol: the stock's, unchanged."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question about one symbol.

    Args:
        symbol: what it is about.
        facts: the user's message, a JSON object.
    """

    symbol: str
    facts: str

    @property
    def text(self) -> str:
        """All that the model is told, for the record."""
        return f"{_INSTRUCTIONS}\n\n{self.facts}"

    def request(self, model: str) -> str:
        """The body of a request for a chat completion."""
        return json.dumps(
            {
                "model": model,
                "messages": [
                    {"role": "system", "content": _INSTRUCTIONS},
                    {"role": "user", "content": self.facts},
                ],
                "response_format": response_format(self.symbol),
            }
        )


def prompt_of(data: MarketData, indicators: Indicators) -> Prompt:
    """Ask about a symbol.

    Args:
        data: its bars, of which the newest are shown.
        indicators: of its daily bars.
    """
    values = {name: None if value is None else f"{value:f}" for name, value in indicators.by_name().items()}
    facts = {
        "symbol": data.instrument.symbol,
        "currency": data.instrument.currency,
        "indicators": values,
        "columns": ["day", "open", "high", "low", "close", "volume"],
        "daily": _rows(data.daily[-_DAYS:]),
        "weekly": _rows(data.weekly[-_WEEKS:]),
    }
    return Prompt(data.instrument.symbol, json.dumps(facts, separators=(",", ":")))


def _rows(bars: Sequence[Bar]) -> list[list[str]]:
    # As strings: a price that becomes a float on its way is another price.
    return [
        [bar.day.isoformat(), *(f"{value:f}" for value in (bar.open, bar.high, bar.low, bar.close, bar.volume))]
        for bar in bars
    ]
