"""Packet loss: some of the packets to the service and from it are dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from harness.faults.service.packet_loss import PacketLoss
from harness.history.events import Witness
from harness.runtime.effects.effect import Hit, Observation
from harness.runtime.effects.endpoint import probe_all
from harness.runtime.effects.packets import PacketEffect, PacketFilter

_PROOF_DEADLINE_S = 5.0
_WAYS = ("--source", "--destination")


class PacketLossEffect(PacketEffect[PacketLoss]):
    """Dropped by the kernel at random; seen by the counters of all packets, hit by those of others than ours."""

    _rules_of_ours = 0

    async def lay_rules(self, packets: PacketFilter) -> None:
        """Drop at random, both ways; what the harness itself sends and gets is dropped and counted apart."""
        ours = [(way, address) for address in await self._own_addresses() for way in _WAYS]
        for way, address in ours:
            await packets.drop([way, address, *self._at_random])
        self._rules_of_ours = len(ours)
        for way, address in ours:
            # What was spared must not come to the rule of the others, which would drop some of it again.
            await packets.let_pass([way, address])
        await packets.drop(self._at_random)

    async def observe_service(self) -> Observation:
        """The kernel should drop some of what is sent: greet the service until it has."""
        dropped = sum(await self.packets.dropped())
        gives_up_at_s = asyncio.get_running_loop().time() + _PROOF_DEADLINE_S
        while not dropped and self.endpoints and asyncio.get_running_loop().time() < gives_up_at_s:
            await probe_all(self.endpoints, timeout_s=0.25)
            dropped = sum(await self.packets.dropped())
        return Observation(as_expected=dropped > 0, saw=f"the kernel has dropped {dropped} packets")

    async def counted(self) -> Sequence[Hit]:
        """Count what was dropped of others: nothing that comes of the harness's own connections is among it."""
        dropped = sum((await self.packets.dropped())[self._rules_of_ours :])
        what = "packets of the system dropped by the kernel"
        return (Hit(Witness.KERNEL, dropped, what),) if dropped > 0 else ()

    @property
    def _at_random(self) -> list[str]:
        return ["-m", "statistic", "--mode", "random", "--probability", f"{self.fault.percent / 100:.4f}"]

    async def _own_addresses(self) -> tuple[str, ...]:
        """From where the harness's connections come into the service's networks: the machine's own address in each."""
        container = self.container
        await asyncio.to_thread(container.reload)
        networks = container.attrs["NetworkSettings"]["Networks"].values()
        return tuple(dict.fromkeys(gateway for each in networks if (gateway := str(each.get("Gateway") or ""))))
