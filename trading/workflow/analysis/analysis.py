"""One symbol's analysis: the model's word, or the rule's when that cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from trading.workflow.analysis.endpoint import AnalysisEndpoint, Answer
from trading.workflow.analysis.indicators import Indicators, indicators_of
from trading.workflow.analysis.prompt import Prompt, prompt_of
from trading.workflow.analysis.rule import signal_by_rule
from trading.workflow.analysis.signal import Signal
from trading.workflow.artifact import Artifact
from trading.workflow.errors import AnalysisUnavailable, AnalysisUnusable
from trading.workflow.events import get_events, redacted
from trading.workflow.frames import frame_of
from trading.workflow.market_data import MarketData
from trading.workflow.settings import WorkflowSettings
from trading.workflow.task_context import TaskContext

log = get_events(__name__)

_NO_ENDPOINT = "no endpoint is configured: LLM_API_BASE_URL is empty"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What came of asking about one symbol.

    Args:
        signal: what should be done.
        prompt: what was asked, or would have been.
        response: the words of the model, or of the rule.
        failure: why it was not the model; empty when it was.
    """

    signal: Signal
    prompt: str
    response: str
    failure: str

    def artifacts(self, context: TaskContext) -> tuple[Artifact, Artifact]:
        """The record of the question and its answer, and the record of the signal."""
        symbol, signal = self.signal.symbol, self.signal
        asked = context.artifact(
            "llm",
            f"{symbol} analysis",
            symbol=symbol,
            prompt=self.prompt,
            response=self.response,
            model_name=signal.model_name,
            metadata={"source": signal.source, "failure": self.failure},
        )
        told = context.artifact(
            "signal",
            f"{symbol} signal",
            symbol=symbol,
            action=signal.action,
            confidence=signal.confidence,
            model_name=signal.model_name,
            signal_data=signal.model_dump(),
        )
        return asked, told


async def analyse(markets: Sequence[MarketData], settings: WorkflowSettings) -> list[Analysis]:
    """Analyse symbols, all at once, so that one deadline holds for them together.

    Args:
        markets: the symbols and their bars.
        settings: the endpoint, if there is one, and how sure it must be.
    """
    async with AsyncExitStack() as stack:
        endpoint = None
        if settings.llm_api_base_url is not None:
            endpoint = await stack.enter_async_context(AnalysisEndpoint(str(settings.llm_api_base_url), settings))
        return await asyncio.gather(*(_analyse(data, endpoint, settings) for data in markets))


async def _analyse(data: MarketData, endpoint: AnalysisEndpoint | None, settings: WorkflowSettings) -> Analysis:
    indicators = indicators_of(frame_of(data.daily))
    prompt = prompt_of(data, indicators)
    if endpoint is None:
        return _by_rule(data, indicators, prompt, _NO_ENDPOINT)
    try:
        answer = await endpoint.ask(prompt)
    except (AnalysisUnavailable, AnalysisUnusable) as failure:
        return _by_rule(data, indicators, prompt, redacted(f"{failure.cause}: {failure}"))
    log.info("analysis_by_model", symbol=prompt.symbol, action=answer.verdict.action)
    signal = _by_model(data, indicators, answer, settings)
    return Analysis(signal, prompt.text, answer.text, "")


def _by_rule(data: MarketData, indicators: Indicators, prompt: Prompt, failure: str) -> Analysis:
    log.warning("analysis_by_rule", symbol=prompt.symbol, failure=failure)
    signal = signal_by_rule(data, indicators, failure=failure)
    return Analysis(signal, prompt.text, signal.rationale, failure)


def _by_model(data: MarketData, indicators: Indicators, answer: Answer, settings: WorkflowSettings) -> Signal:
    verdict = answer.verdict
    reason = ""
    if verdict.action == "HOLD":
        reason = f"the model holds: {verdict.rationale}"
    elif verdict.confidence < settings.llm_confidence_min:
        reason = (
            f"the model's confidence is {verdict.confidence}, under the {settings.llm_confidence_min} that is needed"
        )
    return Signal(
        symbol=verdict.symbol,
        action=verdict.action,
        confidence=verdict.confidence,
        rationale=verdict.rationale,
        source="model",
        model_name=settings.llm_model,
        actionable=not reason,
        no_order_reason=reason,
        indicators=indicators.by_name(),
        close=data.daily[-1].close,
    )
