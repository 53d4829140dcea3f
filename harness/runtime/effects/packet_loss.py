"""Packet loss: some of the packets to the service and from it are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.faults.service.packet_loss import PacketLoss
from harness.history.events import Witness
from harness.runtime.effects.effect import Hit, Observation
from harness.runtime.effects.endpoint import probe_all
from harness.runtime.effects.packets import PacketEffect

_PROOF_DEADLINE_S = 5.0


class PacketLossEffect(PacketEffect[PacketLoss]):
    """Dropped by the kernel at random; seen by the rule's own counter, while link_probes go."""

    _dropped_of_ours = 0

    async def switch_on(self) -> None:
        """Drop at random, both ways."""
        probability = f"{self.fault.percent / 100:.4f}"
        await self.packets.drop(["-m", "statistic", "--mode", "random", "--probability", probability])

    async def observe_service(self) -> Observation:
        """The kernel should drop some of what is sent: greet the service until it has."""
        before = dropped = await self._count()
        gives_up_at_s = asyncio.get_running_loop().time() + _PROOF_DEADLINE_S
        while not dropped and self.endpoints and asyncio.get_running_loop().time() < gives_up_at_s:
            await probe_all(self.endpoints, timeout_s=0.25)
            dropped = await self._count()
        self._dropped_of_ours += dropped - before
        return Observation(as_expected=dropped > 0, saw=f"the kernel has dropped {dropped} packets")

    async def counted(self) -> Sequence[Hit]:
        """Count what was dropped since the last observation."""
        dropped = await self._count() - self._dropped_of_ours
        what = "packets of the system dropped by the kernel"
        return (Hit(Witness.KERNEL, dropped, what),) if dropped > 0 else ()

    async def _count(self) -> int:
        return sum(await self.packets.dropped())
