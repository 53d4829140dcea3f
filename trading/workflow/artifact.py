"""An artifact before it is sent: checked, encoded, and with the key that makes a repeat recognisable."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from trading.workflow.errors import ArtifactInvalid

ArtifactType = Literal["llm", "chart", "signal", "order", "trade", "portfolio", "market_data"]

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "llm": ("prompt", "response", "model_name"),
    "chart": ("image_path", "chart_type"),
    "signal": ("action", "confidence", "signal_data"),
    "order": ("metadata",),
    "trade": ("metadata",),
    "portfolio": ("metadata",),
    "market_data": ("metadata",),
}

_SIZE_MAX_BYTES = 4 * 1024 * 1024


class Artifact(BaseModel):
    """What the artifacts API is asked to store; its fields are the API's.

    Args:
        symbol: None for what concerns the whole run.
        confidence: a share of 1, never an amount of money.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=300)
    type: ArtifactType
    execution_id: str = Field(min_length=1, max_length=300)
    dag_id: str = Field(min_length=1, max_length=300)
    task_id: str = Field(min_length=1, max_length=300)
    step_name: str = Field(min_length=1, max_length=300)
    symbol: str | None = None
    run_id: str | None = None
    workflow_id: str | None = None
    prompt: str | None = None
    response: str | None = None
    model_name: str | None = None
    image_path: str | None = None
    chart_type: str | None = None
    chart_data: JsonValue = None
    action: Literal["BUY", "SELL", "HOLD"] | None = None
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    signal_data: JsonValue = None
    metadata: JsonValue = None

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        missing = [field for field in _NEEDED[self.type] if getattr(self, field) is None]
        if missing:
            raise ValueError(f"an artifact of type {self.type} needs {', '.join(missing)}")
        return self

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at the same artifact, in this task, in its retries, and in a replay."""
        parts = (self.execution_id, self.task_id, self.step_name, self.type, self.symbol or "", self.name)
        # The separator cannot occur in a part, so ("ab", "c") and ("a", "bc") stay different.
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def body(self) -> str:
        """The request's body.

        Raises:
            ArtifactInvalid: it is larger than the API takes.
        """
        text = json.dumps(self.model_dump(mode="json", exclude_none=True), separators=(",", ":"), allow_nan=False)
        size_bytes = len(text.encode())
        if size_bytes > _SIZE_MAX_BYTES:
            raise ArtifactInvalid(f"{self.name!r} has {size_bytes} bytes; at most {_SIZE_MAX_BYTES} are allowed")
        return text


def encode(value: object, *, field: str) -> JsonValue:
    """Turn a value into what JSON can carry, without losing any of it.

    Decimals become strings (money is never a float), times and dates ISO 8601, numpy's scalars what they hold.

    Args:
        value: anything.
        field: where it stands, for the error.

    Raises:
        ArtifactInvalid: names the field whose value JSON cannot carry.
    """
    if isinstance(value, Enum):
        return encode(value.value, field=field)
    if isinstance(value, Mapping):
        return {str(key): encode(item, field=f"{field}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [encode(item, field=f"{field}[{place}]") for place, item in enumerate(value)]
    return _encode_scalar(value, field)


def _encode_scalar(value: object, field: str) -> JsonValue:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise ArtifactInvalid(f"{field} is {value}: expected a finite number")
        return float(value) if isinstance(value, float) else format(value, "f")
    if isinstance(value, date):
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ArtifactInvalid(f"{field} is {value}: expected a time with its zone")
        return value.isoformat()
    if getattr(value, "ndim", None) == 0:
        return _encode_scalar(value.item(), field)  # type: ignore[attr-defined]  # numpy's scalars have it
    raise ArtifactInvalid(f"{field} is a {type(value).__name__}: JSON cannot carry it")
