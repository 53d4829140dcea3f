"""Answers end before their first byte: the server did the work, and its client sees an orderly end."""

from __future__ import annotations

from typing import ClassVar, Literal

from harness import LinkFault, Toxic


class CutShort(LinkFault):
    """The connection ends in the place of each answer."""

    kind: Literal["cut-short"] = "cut-short"
    PROBE_OUTCOMES: ClassVar[frozenset[str]] = frozenset({"ended"})
    IN_LOGS: ClassVar[str] = r"IncompleteRead|RemoteDisconnected|end of stream"
    ABOUT: ClassVar[str] = "cut short"
    SENTENCE: ClassVar[str] = "connections end in the place of an answer"
    PHRASES: ClassVar[tuple[str, ...]] = ("is cut short",)
    PROOF_ON: ClassVar[str] = "a probe's connection ends without an answer"

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return (Toxic(type="limit_data", stream="downstream", attributes={"bytes": 0}),)
