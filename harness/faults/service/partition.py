"""The service is cut off from everyone: packets to it and from it vanish."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome


class Partition(ServiceFault):
    """Its packets are dropped both ways, so that connections hang rather than are refused; it goes on working alone."""

    kind: Literal["partition"] = "partition"
    EVERY_CALL_MEETS_IT: ClassVar[bool] = True
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.SILENT})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|unreachable|disconnect|closed|reset"
    ABOUT: ClassVar[str] = "partitioned"
