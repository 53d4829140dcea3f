"""Kill, stop and restart: the service ends, and is started again at the lift."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.service.down import Down
from harness.faults.service.kill import Kill
from harness.runtime.effects.effect import Effect, Look
from harness.runtime.service import ServiceState


class DownEffect(Effect[Down]):
    """Ended by a signal; seen by whoever runs it, and by link_probes that are refused."""

    STATE: ClassVar[ServiceState] = ServiceState.ENDED

    async def switch_on(self) -> None:
        """End it."""
        await (self.target.service.kill() if isinstance(self.fault, Kill) else self.target.service.stop())

    async def look(self) -> Look:
        """It should have ended, and refuse."""
        return await self.look_at_doors(self.target.doors)

    async def lift(self) -> None:
        """Start it if it is down, and wait until it is ready."""
        await self.start_if_ended()
