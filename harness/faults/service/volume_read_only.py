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
    ABOUT: ClassVar[str] = "read-only"

    @property
    def about(self) -> str:
        """The fault with its volume."""
        return f"{self.path} {self.ABOUT}"
