"""What should be done about a symbol, who says so, and whether anything may be done for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Action = Literal["BUY", "SELL", "HOLD"]


class Signal(BaseModel):
    """What should be done about a symbol; it travels between tasks as plain JSON.

    Args:
        action: the direction.
        confidence: 0 to 1.
        rationale: why, in words.
        source: who says so; a rule is what is left when no model could be asked.
        model_name: the model, or the rule and its version.
        actionable: whether an order may be placed for it: never for a rule's word, and never for a HOLD.
        no_order_reason: why none may be placed; empty when one may.
        indicators: by name; None where there are too few bars to tell.
        close: the newest daily close, in dollars a share.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    action: Action
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    rationale: str
    source: Literal["model", "rule"]
    model_name: str
    actionable: bool
    no_order_reason: str
    indicators: dict[str, Decimal | None]
    close: Decimal

    @model_validator(mode="after")
    def _acts_on_nothing_but_a_model(self) -> Self:
        if self.actionable and (self.source == "rule" or self.action == "HOLD"):
            raise ValueError(f"a {self.action} of a {self.source} cannot be actionable")
        if self.actionable == bool(self.no_order_reason):
            raise ValueError("an actionable signal has no reason against an order, and any other has one")
        return self
