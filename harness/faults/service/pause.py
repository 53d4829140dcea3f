"""The service is frozen: its connections stay open, new ones are accepted by its kernel, and nothing is answered."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome


class Pause(ServiceFault):
    """Every process of it is frozen where it stands; when the fault is lifted, each goes on as if nothing had been."""

    kind: Literal["pause"] = "pause"
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.SILENT})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|heartbeat"
    ABOUT: ClassVar[str] = "paused"
    SENTENCE: ClassVar[str] = "it is frozen: connections stay open, and nothing is answered"
    PHRASES: ClassVar[tuple[str, ...]] = ("is paused", "is frozen")
    PROOF_ON: ClassVar[str] = "it is paused; a probe of its own port hears nothing"
    PROOF_HEALED: ClassVar[str] = "it runs; probes on every way to it are answered"
