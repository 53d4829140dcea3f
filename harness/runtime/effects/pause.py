"""Pause: every process of the service is frozen."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.service.pause import Pause
from harness.runtime.effects.effect import Effect, Look
from harness.runtime.service import ServiceState


class PauseEffect(Effect[Pause]):
    """Frozen by the kernel; seen by whoever runs it, and by link_probes that wait in vain."""

    STATE: ClassVar[ServiceState] = ServiceState.PAUSED

    async def switch_on(self) -> None:
        """Freeze it."""
        await self.target.service.pause()

    async def look(self) -> Look:
        """It should be frozen, and silent."""
        return await self.look_at_doors(self.target.doors)

    async def lift(self) -> None:
        """Let it go on."""
        if await self.target.service.state() is ServiceState.PAUSED:
            await self.target.service.resume()
