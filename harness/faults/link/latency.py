"""Every answer is late."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.link.fault import LinkFault
from harness.faults.toxic import Stream, Toxic
from harness.history.events import ProbeOutcome


class Latency(LinkFault):
    """Answers arrive late by a fixed time.

    Args:
        delay_ms: by how much.
    """

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(gt=0, le=60_000)
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.ANSWERED})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|slow"
    ABOUT: ClassVar[str] = "late"

    @property
    def at_least_s(self) -> float:
        """How long a link probe's answer must take while the fault is on."""
        return self.delay_ms / 1000

    @property
    def about(self) -> str:
        """The fault with its delay."""
        return f"{self.delay_ms} ms {self.ABOUT}"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="latency", stream=Stream.DOWNSTREAM, attributes={"latency": self.delay_ms}),)
