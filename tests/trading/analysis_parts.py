"""What a test of the analysis works with: prices, settings, and the stand-in for the analysis service."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from tests.trading.process import answers, free_port, running
from trading.workflow.analysis.analysis import Analysis, analyse
from trading.workflow.market_data import Bar, Instrument, MarketData
from trading.workflow.settings import WorkflowSettings

KEY = "key-of-the-analysis-service"
TODAY = date(2026, 11, 20)


def bars(count: int, step: str = "1") -> tuple[Bar, ...]:
    """Daily bars that end today, each a step above the one before."""
    made = []
    for number in range(count):
        price = 100 + number * Decimal(step)
        day = TODAY - timedelta(days=count - 1 - number)
        made.append(Bar(day=day, open=price, high=price + 1, low=price - 1, close=price, volume=Decimal(1000)))
    return tuple(made)


def a_market(symbol: str = "AAPL", *, count: int = 60, step: str = "0.5") -> MarketData:
    """Market data whose prices climb or fall."""
    instrument = Instrument(symbol=symbol, con_id=1, currency="USD")
    return MarketData(instrument=instrument, daily=bars(count, step), weekly=bars(5))


def settings_for(url: str, **changes: object) -> WorkflowSettings:
    """Settings that name an analysis service, with changes; all else that they name is nowhere."""
    given = {
        "backend_api_url": "http://127.0.0.1:1",
        "database_url": "postgresql://user@127.0.0.1:1/none",
        "llm_api_base_url": f"{url}/v1" if url else "",
        "llm_model": "test-model",
        "llm_api_key": KEY,
        **changes,
    }
    return WorkflowSettings.model_validate(given)


def ask(settings: WorkflowSettings, market: MarketData | None = None) -> Analysis:
    """Analyse one symbol, as a task does."""
    (analysis,) = asyncio.run(analyse([market or a_market()], settings))
    return analysis


def verdict(**changes: JsonValue) -> str:
    """A model's answer in the form that was asked for, with changes."""
    given: Mapping[str, JsonValue] = {"action": "BUY", "confidence": 0.8, "rationale": "It climbs.", "symbol": "AAPL"}
    return json.dumps({**given, **changes})


def completion(content: JsonValue, *, finish_reason: str = "stop", **message: JsonValue) -> str:
    """The API's answer with this text of the model."""
    said = {"role": "assistant", "content": content, "refusal": None, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish_reason}
    return json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})


@contextlib.contextmanager
def running_analysis(folder: Path) -> Iterator[str]:
    """Run the stand-in for the analysis service for as long as the block lasts.

    Args:
        folder: for its log.

    Yields:
        Its address.
    """
    port = free_port()
    arguments = ["-m", "fixtures.analysis_service", "--port", str(port)]
    with running(arguments, folder / "analysis.log", {"LLM_API_KEY": KEY}) as process:
        url = f"http://127.0.0.1:{port}"
        process.require(lambda: answers(f"{url}/health"), "the analysis service's health")
        yield url
