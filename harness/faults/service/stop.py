"""The service is shut down in order."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.down import Down


class Stop(Down):
    """It is asked to end (SIGTERM), killed after its grace period, and stays down until the fault is lifted."""

    kind: Literal["stop"] = "stop"
    ABOUT: ClassVar[str] = "stopped"
    SENTENCE: ClassVar[str] = "it is asked to end (SIGTERM), killed after its grace period, and stays down"
    PHRASES: ClassVar[tuple[str, ...]] = ("is stopped",)
    PROOF_ON: ClassVar[str] = "as `kill`"
