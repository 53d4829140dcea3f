"""The server does the work, and its answer never arrives: what finds clients without an idempotency key."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.fault import LinkFault
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class AnswerLost(LinkFault):
    """Requests are delivered; the connection is reset in the place of each answer."""

    kind: Literal["answer-lost"] = "answer-lost"
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.RESET})
    IN_LOGS: ClassVar[str] = r"reset|Errno 104|Errno 54\b|disconnect|closed|broken"
    ABOUT: ClassVar[str] = "answers lost"
    SENTENCE: ClassVar[str] = "the server does the work, its answer never arrives"
    PHRASES: ClassVar[tuple[str, ...]] = ("loses its answers",)
    PROOF_ON: ClassVar[str] = "a probe is reset"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="reset_peer", stream="downstream", attributes={"timeout": 0}),)
