"""One running service, as a fault takes hold of it: whichever runtime started it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from docker.models.containers import Container


class ServiceState(StrEnum):
    """What a service does, by the word of whoever runs it (the kernel, or the engine)."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class RunningService(Protocol):
    """A service that can be taken down and brought back. Its links' proxies stay up meanwhile."""

    name: str

    async def state(self) -> ServiceState:
        """What it does now."""

    async def kill(self) -> None:
        """End it at once, with everything that it started (SIGKILL); it stays down."""

    async def stop(self) -> None:
        """Ask it to end, and kill what is left after its grace period; it stays down."""

    async def start(self) -> None:
        """Start one that is down, with the state that it left, and wait until it is ready."""

    async def pause(self) -> None:
        """Freeze it whole: its connections stay open, and it answers nothing."""

    async def resume(self) -> None:
        """Let a frozen one go on."""

    def container(self) -> Container | None:
        """The container that it runs in; None for a local process."""
