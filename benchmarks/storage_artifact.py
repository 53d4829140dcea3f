"""What is stored when storing is measured: a signal, as the workflow makes it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

ARTIFACT: Mapping[str, JsonValue] = {
    "name": "AAPL signal",
    "type": "signal",
    "symbol": "AAPL",
    "workflow_id": "ibkr_trading_signal_workflow",
    "execution_id": "scheduled__2026-11-23T14:00:00+00:00",
    "step_name": "analyze_with_llm",
    "dag_id": "ibkr_trading_signal_workflow",
    "task_id": "analyze_with_llm",
    "model_name": "rule-based",
    "action": "BUY",
    "confidence": 0.62,
    "signal_data": {
        "action": "BUY",
        "confidence": 0.62,
        "actionable": False,
        "model_name": "rule-based",
        "rationale": "The 12-day average is above the 26-day one, and the relative strength index is below 70.",
        "indicators": {"ema_12": "187.31", "ema_26": "184.02", "rsi_14": "58.4", "atr_14": "3.17"},
    },
    "metadata": {"bars": 251, "first": "2025-11-24", "last": "2026-11-23"},
}
