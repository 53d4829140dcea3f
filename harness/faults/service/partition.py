"""The service is cut off: packets to it and from it vanish."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome


class Partition(ServiceFault):
    """Its packets are dropped both ways, so that connections hang rather than are refused; it goes on working alone."""

    kind: Literal["partition"] = "partition"
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.SILENT})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|unreachable|disconnect|closed|reset"
    ABOUT: ClassVar[str] = "partitioned"
    SENTENCE: ClassVar[str] = "its packets are dropped both ways: connections hang; it works on alone"
    PHRASES: ClassVar[tuple[str, ...]] = ("is partitioned", "is cut off")
    PROOF_ON: ClassVar[str] = (
        "probes of its port, and through the links that the system has called over, hear nothing; "
        "the rules' packet counters grew"
    )
    PROOF_HEALED: ClassVar[str] = "no rule is left; probes are answered"
