"""The service gets little of the processor."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class CpuLimit(ServiceFault):
    """The kernel gives it so much time of the processor and no more.

    Args:
        cpus: cores.
    """

    kind: Literal["cpu-limit"] = "cpu-limit"
    cpus: float = Field(ge=0.01, le=64)
    IN_LOGS: ClassVar[str] = r"time[d]?[ _-]?out|Timeout|deadline|slow|heartbeat"
    ABOUT: ClassVar[str] = "limited to"

    @property
    def about(self) -> str:
        """The fault with its limit."""
        return f"{self.ABOUT} {self.cpus:g} cores"
