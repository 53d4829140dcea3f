"""Every answer is late."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.link.answers import AnswerFault
from harness.faults.link.fault import HitWhen
from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class Latency(AnswerFault):
    """Answers arrive late by a fixed time.

    Args:
        delay_ms: by how much.
    """

    kind: Literal["latency"] = "latency"
    delay_ms: int = Field(gt=0, le=60_000)
    ACTION: ClassVar[str] = "delay"
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.ANSWER_LATE
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.ANSWERED})
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|slow"
    ABOUT: ClassVar[str] = "{delay_ms} ms late"
    SENTENCE: ClassVar[str] = "answers are late by `delay_ms`"
    PHRASES: ClassVar[tuple[str, ...]] = ("is {delay_ms} ms late", "answers {delay_ms} ms late")
    PROOF_ON: ClassVar[str] = (
        "a probe is answered, later than before by that; after a handshake, the link's Toxiproxy says so, "
        "and a greeting goes through"
    )

    @property
    def at_least_s(self) -> float:
        """How long a probe's answer must take while the fault is on, in seconds."""
        return self.delay_ms / 1000

    def toxics(self) -> tuple[Toxic, ...]:
        """What a Toxiproxy without a witness is told."""
        return (Toxic(type="latency", stream="downstream", attributes={"latency": self.delay_ms}),)

    def _more(self) -> dict[str, int | str]:
        return {"delay_ms": self.delay_ms}
