"""The bodies that the artifacts API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

KEY_MAX_LENGTH = 200

Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX_LENGTH)]
Word = Annotated[str, StringConstraints(max_length=300)]
LongText = Annotated[str, StringConstraints(max_length=1_000_000)]


ArtifactType = Literal["llm", "chart", "signal", "order", "trade", "portfolio", "market_data"]


class ArtifactFields(BaseModel):
    """The fields that a client may give, when it makes an artifact and when it changes one."""

    # A number that is none must not turn into null on its way: as a constant, the database refuses it.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    symbol: Word | None = None
    run_id: Word | None = None
    experiment_id: Word | None = None
    workflow_id: Word | None = None
    execution_id: Word | None = None
    step_name: Word | None = None
    dag_id: Word | None = None
    task_id: Word | None = None
    prompt: LongText | None = None
    response: LongText | None = None
    prompt_length: int | None = Field(default=None, ge=0, le=2**31 - 1)
    response_length: int | None = Field(default=None, ge=0, le=2**31 - 1)
    model_name: Word | None = None
    image_path: Word | None = None
    chart_type: Word | None = None
    chart_data: JsonValue = None
    action: Word | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    signal_data: JsonValue = None
    metadata: JsonValue = None


class ArtifactIn(ArtifactFields):
    """A new artifact."""

    name: Name
    type: ArtifactType


class ArtifactPatch(ArtifactFields):
    """What shall change in an artifact; a field that is left out stays as it is."""

    name: Name | None = None
    type: ArtifactType | None = None


class BatchEntry(BaseModel):
    """One artifact of a batch, with what makes a repeat of it recognisable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    artifact: ArtifactIn


class ArtifactBatch(BaseModel):
    """Artifacts that are stored in one transaction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    artifacts: list[BatchEntry] = Field(min_length=1, max_length=500)


class ArtifactOut(ArtifactFields):
    """An artifact as it is stored."""

    id: int
    name: str
    type: ArtifactType
    created_at: datetime
    updated_at: datetime


class StoredEntry(BaseModel):
    """What became of one artifact of a batch; `created` is false when its key was known."""

    created: bool
    artifact: ArtifactOut


class StoredBatch(BaseModel):
    """What became of a batch, in the order of the request."""

    artifacts: list[StoredEntry]


class WriteProbe(BaseModel):
    """That a row could be inserted, and was taken back."""

    writable: Literal[True]
    elapsed_ms: float


class ArtifactList(BaseModel):
    """A page of artifacts, newest first.

    Args:
        artifacts: the page.
        total: how many artifacts match in all, on every page together.
        grouped: the page's artifacts by execution, when that was asked for.
        group_count: how many executions match in all, when grouping was asked for.
        next_cursor: give this as `cursor` for the next page; None on the last.
    """

    artifacts: list[ArtifactOut]
    total: int
    grouped: dict[str, list[ArtifactOut]] | None = None
    group_count: int | None = None
    next_cursor: int | None = None


class ArtifactStats(BaseModel):
    """How many artifacts there are, in all and by kind."""

    total: int
    by_type: dict[str, int]
    by_symbol: dict[str, int]
    executions: int
