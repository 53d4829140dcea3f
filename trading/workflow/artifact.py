"""An artifact before it is sent: checked, encoded, and with the key that makes a repeat recognisable."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from trading.workflow.artifact_contents import ArtifactType, content_problem, stays_in_folder
from trading.workflow.artifact_encoding import encode
from trading.workflow.errors import ArtifactInvalid

__all__ = ["Artifact", "ArtifactType", "encode"]

_SIZE_MAX_BYTES = 4 * 1024 * 1024


def _in_folder(path: str) -> str:
    if not stays_in_folder(path):
        raise ValueError("expected a path within the folder of charts, as in 'AAPL_daily.png'")
    return path


# No control characters: one of them separates the parts of the key.
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]
# The API's own limit.
LongText = Annotated[str, StringConstraints(max_length=1_000_000)]
ImagePath = Annotated[Name, AfterValidator(_in_folder)]


class Artifact(BaseModel):
    """What the artifacts API is asked to store; its fields are the API's.

    Args:
        symbol: None for what concerns the whole run.
        image_path: relative to the folder of charts.
        confidence: a share of 1, never an amount of money.
        chart_data: anything that `encode` takes; so are signal_data and metadata.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    type: ArtifactType
    execution_id: Name
    dag_id: Name
    task_id: Name
    step_name: Name
    symbol: Name | None = None
    run_id: Name | None = None
    experiment_id: Name | None = None
    workflow_id: Name | None = None
    prompt: LongText | None = None
    response: LongText | None = None
    model_name: Name | None = None
    image_path: ImagePath | None = None
    chart_type: Name | None = None
    chart_data: JsonValue = None
    action: Literal["BUY", "SELL", "HOLD"] | None = None
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    signal_data: JsonValue = None
    metadata: JsonValue = None

    @model_validator(mode="before")
    @classmethod
    def _encoded(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        try:
            return {name: encode(value, field=str(name)) for name, value in given.items()}
        except ArtifactInvalid as invalid:
            raise ValueError(str(invalid)) from invalid

    @model_validator(mode="after")
    def _holds_what_its_type_needs(self) -> Self:
        if problem := content_problem(self.type, {name: getattr(self, name) for name in type(self).model_fields}):
            raise ValueError(problem)
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
        fields = self.model_dump(mode="json", exclude_none=True)
        text = json.dumps(fields, separators=(",", ":"), allow_nan=False)
        if len(text) > _SIZE_MAX_BYTES:
            sizes = {name: len(json.dumps(value)) for name, value in fields.items()}
            largest = max(sizes, key=lambda name: sizes[name])
            raise ArtifactInvalid(
                f"artifact {self.name!r} has {len(text)} bytes; at most {_SIZE_MAX_BYTES} are allowed,"
                f" and {largest} alone has {sizes[largest]}"
            )
        return text
