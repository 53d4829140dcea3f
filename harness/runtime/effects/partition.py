"""Partition: every packet to the service and from it is dropped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from harness.faults.service.partition import Partition
from harness.history.events import Witness
from harness.runtime.effects.effect import Hit, Observation
from harness.runtime.effects.endpoint import Endpoint
from harness.runtime.effects.packets import PacketEffect, PacketFilter


class PartitionEffect(PacketEffect[Partition]):
    """Cut off by the kernel; seen by link_probes that wait in vain, and by the rules' own counters."""

    CALLS_MEET_IT: ClassVar[bool] = True

    _on_at_mono_s = 0.0

    async def lay_rules(self, packets: PacketFilter) -> None:
        """Drop everything, both ways."""
        # First the calls, whose rule would not be reached behind the one for everything.
        await packets.drop_calls()
        await packets.drop()

    async def switch_on(self) -> None:
        """Note when, and have the rules hold."""
        self._on_at_mono_s = time.monotonic()
        await super().switch_on()

    async def observe_service(self) -> Observation:
        """No probe should get an answer, and the kernel should have dropped what was sent."""
        seen = await self.observe_endpoints((*self.endpoints, *self._links_in_use()))
        dropped = sum(await self.packets.dropped())
        was_asked = bool(self.endpoints)
        return Observation(
            as_expected=seen.as_expected and (dropped > 0 or not was_asked),
            saw=f"{seen.saw}; the kernel has dropped {dropped} packets",
        )

    def _links_in_use(self) -> tuple[Endpoint, ...]:
        """The links that the system has called over by now.

        A Toxiproxy that is cut off from its server accepts one connection, and no second before the first is given up:
        a link probe of ours in the place of the system's first call would hide that the fault hit the system.
        """
        links = zip(self.link_endpoints, self.proxies, strict=True)
        return tuple(endpoint for endpoint, proxy in links if proxy.system_connections(self._on_at_mono_s))

    async def counted(self) -> Sequence[Hit]:
        """Count what the service tried to open itself: no link probe does that."""
        calls, *_ = [*await self.packets.dropped(), 0]
        what = "packets dropped that should have opened a connection of its own"
        return (Hit(Witness.KERNEL, calls, what),) if calls else ()
