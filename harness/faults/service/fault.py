"""What every fault of a service has."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.fault import Fault


class ServiceFault(Fault):
    """A fault of one service: of what runs under its name, with every link to it and from it."""

    TARGET: ClassVar[str] = "service"
