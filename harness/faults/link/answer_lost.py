"""The server does the work, and its answer never arrives: what finds clients without an idempotency key."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.answers import AnswerFault
from harness.faults.link.fault import HitWhen
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class AnswerLost(AnswerFault):
    """Requests are delivered; the connection is reset in the place of each answer."""

    kind: Literal["answer-lost"] = "answer-lost"
    ACTION: ClassVar[str] = "cut"
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.ANSWER_LOST
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.RESET})
    IN_LOGS: ClassVar[str] = r"reset|Errno 104|Errno 54\b|disconnect|closed|broken"
    ABOUT: ClassVar[str] = "answers lost"
    SENTENCE: ClassVar[str] = "the server does the work, its answer never arrives"
    PHRASES: ClassVar[tuple[str, ...]] = ("loses its answers",)
    PROOF_ON: ClassVar[str] = (
        "a probe is reset; after a handshake, the link's Toxiproxy says so, and a greeting goes through"
    )

    def toxics(self) -> tuple[Toxic, ...]:
        """What a Toxiproxy without a witness is told."""
        return (Toxic(type="reset_peer", stream="downstream", attributes={"timeout": 0}),)
