"""Kill, stop and restart: the service ends, and is started again at the lift."""

from __future__ import annotations

import abc
import asyncio
import math
import time
from collections.abc import Sequence
from typing import ClassVar

from harness.faults.service.down import Down
from harness.history.events import Witness
from harness.runtime.effects.effect import Hit, Observation
from harness.runtime.effects.link_hits import TOLD_WITHIN_S, AttemptsHit
from harness.runtime.effects.service import ServiceEffect
from harness.runtime.service import ServiceState


class DownEffect(ServiceEffect[Down], abc.ABC):
    """Ended by a signal; seen by what runs it, and by probes that are refused. Its links are switched off with it."""

    STATE: ClassVar[ServiceState] = ServiceState.ENDED
    HITS_UNTIL_HEALED: ClassVar[bool] = True

    _attempts = AttemptsHit()
    _down_at_mono_s = math.inf

    async def arm(self) -> None:
        """Watch who tries to connect: while it is down, nothing else tells."""
        await super().arm()
        links_to = self.running.stack.links_to(self.target)
        self._attempts = AttemptsHit()
        self._attempts.watch(links_to, self.proxies)

    async def counted(self) -> Sequence[Hit]:
        """Count the attempts to connect that were refused."""
        await asyncio.sleep(TOLD_WITHIN_S)
        return self._attempts.count(self._down_at_mono_s)

    async def disarm(self) -> None:
        """Watch no more."""
        self._attempts.close()

    async def put_on(self) -> Sequence[Hit]:
        """End it, and its links with it."""
        ended = sum(len(self.running.proxy(link).open_system_connections()) for link in self.links)
        await self.switch_on()
        await self.switch_links_off()
        self._down_at_mono_s = time.monotonic()
        return (Hit(Witness.PROXY, ended, "of the open connections ended"),) if ended else ()

    async def observe_service(self) -> Observation:
        """It should have ended, and refuse."""
        return await self.observe_endpoints(self.endpoints)

    async def switch_off(self) -> None:
        """Start it if it is down, and wait until it is ready."""
        await self.start_if_ended()


class KillEffect(DownEffect):
    """Killed with everything that it started."""

    async def switch_on(self) -> None:
        """Kill it, and switch its links off at once.

        In a container's network, a Toxiproxy that calls a dead server waits, and obeys no call meanwhile.
        """
        done = await asyncio.gather(self.switch_links_off(), self.service.kill(), return_exceptions=True)
        if failures := [each for each in done if isinstance(each, BaseException)]:
            raise failures[0]


class StopEffect(DownEffect):
    """Asked to end."""

    async def switch_on(self) -> None:
        """Ask it to end, and wait until it has."""
        await self.service.stop()
