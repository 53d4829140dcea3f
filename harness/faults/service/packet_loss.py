"""Some of the service's packets are lost."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class PacketLoss(ServiceFault):
    """Packets to the service and from it are dropped at random.

    Args:
        percent: how many of a hundred.
    """

    kind: Literal["packet-loss"] = "packet-loss"
    percent: float = Field(ge=1, le=99)
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|slow|reset|closed"
    ABOUT: ClassVar[str] = "{percent:g} % packets lost"
    SENTENCE: ClassVar[str] = "`percent` of its packets are dropped, both ways, at random"
    PHRASES: ClassVar[tuple[str, ...]] = ("loses {percent} % of its packets", "loses {percent}% of its packets")
    PROOF_ON: ClassVar[str] = "the rule's packet counter grew while probes went"
    PROOF_HEALED: ClassVar[str] = "no rule is left; probes are answered"
