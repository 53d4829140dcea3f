"""The connection is accepted and then reset before the server sees anything."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness.faults.link.fault import LinkFault
from harness.faults.toxic import Stream, Toxic
from harness.history.events import ProbeOutcome


class Reset(LinkFault):
    """Every connection is reset as soon as the client sends; the server does no work."""

    kind: Literal["reset"] = "reset"
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]] = frozenset({ProbeOutcome.RESET})
    IN_LOGS: ClassVar[str] = r"reset|Errno 104|Errno 54\b|disconnect|closed|broken"
    ABOUT: ClassVar[str] = "reset"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="reset_peer", stream=Stream.UPSTREAM, attributes={"timeout": 0}),)
