"""A volume of the service can be read, and not written."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.faults.service.fault import ServiceFault


class VolumeReadOnly(ServiceFault):
    """A volume is mounted anew as read-only, as kernels do with a disk that fails.

    Args:
        path: where the volume is mounted in the service's container.
    """

    kind: Literal["volume-read-only"] = "volume-read-only"
    path: str = Field(pattern=r"^/")
    IN_LOGS: ClassVar[str] = r"Read-only|Errno 30\b|EROFS|readonly database"
    IN_OWN_LOG: ClassVar[str] = IN_LOGS
    ABOUT: ClassVar[str] = "{path} read-only"
    SENTENCE: ClassVar[str] = "the volume at `path` is mounted anew as read-only, for this service alone"
    PHRASES: ClassVar[tuple[str, ...]] = ("finds {path} read-only",)
    PROOF_ON: ClassVar[str] = "a write of the service's own user gets EROFS"
    PROOF_HEALED: ClassVar[str] = "a write of the same user works"
