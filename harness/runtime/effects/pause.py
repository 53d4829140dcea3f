"""Pause: every process of the service is frozen."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.service.pause import Pause
from harness.runtime.effects.effect import Observation
from harness.runtime.effects.service import ServiceEffect
from harness.runtime.service import ServiceState


class PauseEffect(ServiceEffect[Pause]):
    """Frozen by the kernel; seen by what runs it, and by probes that wait in vain."""

    STATE: ClassVar[ServiceState] = ServiceState.PAUSED
    CALLS_MEET_IT: ClassVar[bool] = True

    async def switch_on(self) -> None:
        """Freeze it."""
        await self.service.pause()

    async def observe_service(self) -> Observation:
        """It should be frozen, and silent."""
        return await self.observe_endpoints(self.endpoints)

    async def switch_off(self) -> None:
        """Let it go on."""
        if await self.service.state() is ServiceState.PAUSED:
            await self.service.resume()
