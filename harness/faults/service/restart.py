"""The service is shut down in order, and is back as soon as it can be."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.down import Down


class Restart(Down):
    """It is asked to end, and started again at once: the fault lasts as long as that takes."""

    kind: Literal["restart"] = "restart"
    LASTS: ClassVar[bool] = False
    ABOUT: ClassVar[str] = "restarted"
    SENTENCE: ClassVar[str] = "it is asked to end, and started again at once; has no `for_s`"
    PHRASES: ClassVar[tuple[str, ...]] = ("is restarted",)
    PROOF_ON: ClassVar[str] = "as `kill`, before it is started"
