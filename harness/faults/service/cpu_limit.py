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
    ABOUT: ClassVar[str] = "limited to {cpus:g} cores"
    SENTENCE: ClassVar[str] = "it gets `cpus` cores and no more"
    PHRASES: ClassVar[tuple[str, ...]] = ("gets {cpus} cores", "gets {cpus} core")
    PROOF_ON: ClassVar[str] = "its control group was throttled while the harness made it work"
    PROOF_HEALED: ClassVar[str] = "probes are answered; where it had no limit, the same work is throttled no more"
