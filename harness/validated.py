"""Data that is checked where it enters: ours strictly, and of what outside APIs answer only what is asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Files and messages that are ours to define: an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Answer(BaseModel):
    """What an outside API answers: it may say more than is asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")
