"""Packet loss: some of the packets to the service and from it are dropped."""

from __future__ import annotations

import asyncio

from harness.faults.service.packet_loss import PacketLoss
from harness.runtime.effects.effect import Look, Met
from harness.runtime.effects.packets import PacketEffect
from harness.runtime.effects.target import knock_at

_PROOF_DEADLINE_S = 5.0


class PacketLossEffect(PacketEffect[PacketLoss]):
    """Dropped by the kernel at random; seen by the rule's own counter, while link_probes go."""

    _dropped_of_ours = 0

    async def switch_on(self) -> None:
        """Drop at random, both ways."""
        probability = f"{self.fault.percent / 100:.4f}"
        await self.packets.drop(["-m", "statistic", "--mode", "random", "--probability", probability])

    async def look(self) -> Look:
        """The kernel should drop some of what is sent: greet the service until it has."""
        before = dropped = await self._count()
        gives_up_at_s = asyncio.get_running_loop().time() + _PROOF_DEADLINE_S
        while not dropped and self.target.doors and asyncio.get_running_loop().time() < gives_up_at_s:
            await knock_at(self.target.doors, timeout_s=0.25)
            dropped = await self._count()
        self._dropped_of_ours += dropped - before
        return Look(as_expected=dropped > 0, saw=f"the kernel has dropped {dropped} packets")

    async def met(self) -> Met | None:
        """Count what was dropped while nobody looked."""
        dropped = await self._count() - self._dropped_of_ours
        return Met(dropped, "packets of the system dropped by the kernel") if dropped > 0 else None

    async def _count(self) -> int:
        return sum(await self.packets.dropped())
