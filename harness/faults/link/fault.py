"""What every fault of a link has: what the link's Toxiproxy is told."""

from __future__ import annotations

from enum import Enum, auto
from typing import ClassVar

from harness.faults.fault import Fault
from harness.faults.toxic import Toxic


class HitWhen(Enum):
    """What of the system's own on a link proves that a fault hit it."""

    CUT_OFF = auto()
    """A connection ended by it, or an attempt to open one that was refused."""
    UNANSWERED = auto()
    """Bytes of its client that stood still, or came to nothing."""
    ANSWER_LATE = auto()
    """An answer to its client that was held up."""
    ANSWER_LOST = auto()
    """An answer to its client that was cut off."""
    USED = auto()
    """Any use of the link: what the fault does is not known here."""


class LinkFault(Fault):
    """A fault of one link.

    Class attributes:
        HIT_WHEN: what of the system's own traffic proves that it was hit.
        CUTS: new connections are refused, and open ones end; the proxy is switched off.
    """

    TARGET: ClassVar[str] = "link"
    HIT_WHEN: ClassVar[HitWhen] = HitWhen.USED
    CUTS: ClassVar[bool] = False
    PROOF_HEALED: ClassVar[str] = "a probe is answered"

    @property
    def at_least_s(self) -> float:
        """How long a probe's answer must take while the fault is on, in seconds."""
        return 0.0

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return ()
