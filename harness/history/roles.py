"""Why the harness started a run."""

from __future__ import annotations

from enum import StrEnum


class RunRole(StrEnum):
    """Why the harness started a run of the workflow."""

    STEADY = "steady"
    DRILLED = "drilled"
    RECOVERY = "recovery"
