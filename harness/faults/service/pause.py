"""The service is frozen: its connections stay open, new ones are accepted by its kernel, and nothing is answered."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome


class Pause(ServiceFault):
    """Every process of it is frozen where it stands; when the fault is lifted, each goes on as if nothing had been."""

    kind: Literal["pause"] = "pause"
    EVERY_CALL_MEETS_IT: ClassVar[bool] = True
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.SILENT})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|heartbeat"
    ABOUT: ClassVar[str] = "paused"
