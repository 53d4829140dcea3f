"""The service dies at once."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.down import Down


class Kill(Down):
    """It ends at once, with everything that it started (SIGKILL), and stays down until the fault is lifted."""

    kind: Literal["kill"] = "kill"
    ABOUT: ClassVar[str] = "killed"
    SENTENCE: ClassVar[str] = "it dies at once, with everything that it started (SIGKILL), and stays down"
    PHRASES: ClassVar[tuple[str, ...]] = ("is killed",)
    PROOF_ON: ClassVar[str] = "kernel or engine say that it ended; a probe of its own port is refused"
