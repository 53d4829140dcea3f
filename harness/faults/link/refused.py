"""The server is gone: connections are refused, and those that are open end."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.fault import HitWhen, LinkFault
from harness.history.events import ProbeOutcome


class Refused(LinkFault):
    """Nothing listens: ``ECONNREFUSED`` for new connections, an end of stream for open ones."""

    kind: Literal["refused"] = "refused"
    CUTS: ClassVar[bool] = True
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.CUT_OFF
    PROBE_OUTCOMES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.REFUSED})
    IN_LOGS: ClassVar[str] = r"refused|Errno 111|Errno 61\b|disconnect|closed|Not connected|\bEOF\b|end of stream"
    ABOUT: ClassVar[str] = "refused"
    SENTENCE: ClassVar[str] = "connections end, new ones are refused"
    PHRASES: ClassVar[tuple[str, ...]] = ("is refused",)
    PROOF_ON: ClassVar[str] = "a probe is refused"
