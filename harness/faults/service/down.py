"""The service is down: what kill, stop and restart have in common."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome


class Down(ServiceFault):
    """Nothing of the service runs: its connections end, and new ones are refused."""

    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.REFUSED})
    IN_LOGS: ClassVar[str] = (
        r"refused|Errno 111|Errno 61\b|reset|Errno 104|Errno 54\b|disconnect|closed|Not connected|\bEOF\b|end of stream"
    )
    PROOF_HEALED: ClassVar[str] = "it is ready; probes on every way to it are answered"
