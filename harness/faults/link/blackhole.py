"""The connection is accepted, and nothing that the client sends ever arrives."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.fault import HitWhen, LinkFault
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class Blackhole(LinkFault):
    """Silence until the client's own time limit; the server does no work.

    The three-way handshake succeeds: a true blackhole, in which even that hangs, needs a packet filter.
    """

    kind: Literal["blackhole"] = "blackhole"
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.UNANSWERED
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.SILENT})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline"
    ABOUT: ClassVar[str] = "blackholed"
    SENTENCE: ClassVar[str] = "connections are accepted, and nothing arrives"
    PHRASES: ClassVar[tuple[str, ...]] = ("is blackholed",)
    PROOF_ON: ClassVar[str] = "a probe hears nothing"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="timeout", stream="upstream", attributes={"timeout": 0}),)
