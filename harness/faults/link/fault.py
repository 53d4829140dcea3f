"""What every fault of a link has: what the link's Toxiproxy is told."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.fault import Fault
from harness.faults.toxic import Toxic


class LinkFault(Fault):
    """A fault of one link.

    Class attributes:
        CUTS: new connections are refused, and open ones end; the proxy is switched off.
    """

    TARGET: ClassVar[str] = "link"
    CUTS: ClassVar[bool] = False
    PROOF_HEALED: ClassVar[str] = "a probe is answered"

    @property
    def at_least_s(self) -> float:
        """How long a probe's answer must take while the fault is on, in seconds."""
        return 0.0

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return ()
