"""The service can start no further process or thread."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class ProcessLimit(ServiceFault):
    """The kernel allows it so many processes and threads; what it has beyond that already may stay.

    Args:
        pids: how many.
    """

    kind: Literal["process-limit"] = "process-limit"
    pids: int = Field(ge=1, le=1 << 20)
    IN_LOGS: ClassVar[str] = r"can't start new thread|temporarily unavailable|Errno 11\b|BlockingIOError|cannot fork"
    IN_OWN_LOG: ClassVar[str] = IN_LOGS
    ABOUT: ClassVar[str] = "limited to {pids} processes"
    SENTENCE: ClassVar[str] = "it may have `pids` processes and threads; what it has beyond that may stay"
    PHRASES: ClassVar[tuple[str, ...]] = ("may have {pids} processes", "may have {pids} process")
    PROOF_ON: ClassVar[str] = "the kernel's limit is that, and a process in the container cannot start another"
    PROOF_HEALED: ClassVar[str] = "a process in the container can"
