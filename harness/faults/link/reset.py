"""The connection is accepted and then reset before the server sees anything."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.fault import HitWhen, LinkFault
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class Reset(LinkFault):
    """Every connection is reset as soon as the client sends; the server does no work."""

    kind: Literal["reset"] = "reset"
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.UNANSWERED
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.RESET})
    IN_LOGS: ClassVar[str] = r"reset|Errno 104|Errno 54\b|disconnect|closed|broken"
    ABOUT: ClassVar[str] = "reset"
    SENTENCE: ClassVar[str] = "connections are reset before the server sees anything"
    PHRASES: ClassVar[tuple[str, ...]] = ("is reset",)
    PROOF_ON: ClassVar[str] = "a probe is reset"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="reset_peer", stream="upstream", attributes={"timeout": 0}),)
