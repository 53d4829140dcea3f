"""What every fault of a link has: how it is switched on, and how anyone can see that it is on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from harness.faults.toxic import Toxic
from harness.history.events import ProbeOutcome


class LinkFault(BaseModel):
    """A fault of one link.

    Class attributes:
        CUTS: new connections are refused, and open ones end; the proxy is switched off.
        PROBE_SEES: what a probe through the link may see while the fault is on, and nothing else.
        IN_LOGS: a regular expression for how a client's own log names what it met.
        ABOUT: the fault in a word or two, for tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    CUTS: ClassVar[bool] = False
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]]
    IN_LOGS: ClassVar[str]
    ABOUT: ClassVar[str]

    @property
    def at_least_s(self) -> float:
        """How long a link probe's answer must take while the fault is on."""
        return 0.0

    @property
    def about(self) -> str:
        """The fault with its settings, in a word or two."""
        return self.ABOUT

    def toxics(self) -> tuple[Toxic, ...]:
        """What the link's Toxiproxy is told."""
        return ()
