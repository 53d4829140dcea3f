"""A volume of the service has no room left."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class DiskFull(ServiceFault):
    """A volume is filled to its last byte, and kept full.

    Args:
        path: where the volume is mounted in the service's container.
    """

    kind: Literal["disk-full"] = "disk-full"
    path: str = Field(pattern=r"^/")
    IN_LOGS: ClassVar[str] = (
        r"No space left|Errno 28\b|ENOSPC|disk (?:is )?full|disk I/O error|could not (?:extend|write)"
    )
    IN_OWN_LOG: ClassVar[str] = IN_LOGS
    ABOUT: ClassVar[str] = "{path} full"
    SENTENCE: ClassVar[str] = "the volume at `path` is filled to the last byte, and kept full"
    PHRASES: ClassVar[tuple[str, ...]] = ("finds {path} full",)
    PROOF_ON: ClassVar[str] = "no byte is free; a write of the service's own user gets ENOSPC"
    PROOF_HEALED: ClassVar[str] = "a write of the same user works"
