"""What every fault of a service has: what it is called, and how anyone can see that it is on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from harness.history.events import ProbeOutcome


class ServiceFault(BaseModel):
    """A fault of one service. ``harness/runtime/effects`` makes it true.

    Class attributes:
        ENDS: the service is down while it is on; its links are switched off with it, so that clients are refused.
        LASTS: it is on for a time that the scenario names; otherwise it is lifted as soon as it is proven.
        EVERY_CALL_MEETS_IT: a connection to the service cannot but meet it; otherwise the kernel's counters or the
            clients' logs have to tell.
        PROBE_SEES: what a probe of the service may see while the fault is on; empty where a probe can tell nothing.
        IN_LOGS: a regular expression for how the log of whoever calls the service, or is called by it, names it.
        IN_OWN_LOG: another for what the service itself tells of the fault; empty when it can know nothing.
        ABOUT: the fault in a word or two, for tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ENDS: ClassVar[bool] = False
    LASTS: ClassVar[bool] = True
    EVERY_CALL_MEETS_IT: ClassVar[bool] = False
    PROBE_SEES: ClassVar[frozenset[ProbeOutcome]] = frozenset()
    IN_LOGS: ClassVar[str]
    IN_OWN_LOG: ClassVar[str] = ""
    ABOUT: ClassVar[str]

    @property
    def about(self) -> str:
        """The fault with its settings, in a word or two."""
        return self.ABOUT
