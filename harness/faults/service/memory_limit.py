"""The service gets little memory, and is killed by the kernel when it wants more."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class MemoryLimit(ServiceFault):
    """The kernel gives it so much memory; what it needs beyond that ends in an OOM kill.

    Of a service that holds more already, the limit is what it holds: the next that it needs is too much.

    Args:
        mib: memory in MiB.
    """

    kind: Literal["memory-limit"] = "memory-limit"
    mib: int = Field(ge=6, le=1 << 20)
    IN_LOGS: ClassVar[str] = r"refused|reset|disconnect|closed|\bEOF\b|Timeout|time[d]?[ _-]?out"
    IN_OWN_LOG: ClassVar[str] = r"MemoryError|out of memory|Cannot allocate"
    ABOUT: ClassVar[str] = "limited to {mib} MiB"
    SENTENCE: ClassVar[str] = "it gets `mib` MiB; what it needs beyond that ends in an OOM kill"
    PHRASES: ClassVar[tuple[str, ...]] = ("gets {mib} MiB of memory",)
    PROOF_ON: ClassVar[str] = "the kernel's limit is that; or it has ended with the OOM-kill flag or exit code 137"
    PROOF_HEALED: ClassVar[str] = "the kernel's limit is another; it runs, started again if it was killed"
