"""Dropping a service's packets: rules in the network namespace of its container, set by a sidecar that shares it."""

from __future__ import annotations

import re
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence

from docker.models.containers import Container

from harness.runtime.docker.sidecar import NET_TOOLS_IMAGE, Shared, Sidecar
from harness.runtime.effects.container import ContainerEffect
from harness.runtime.effects.effect import Observation
from harness.runtime.effects.service import ServiceFaultT
from harness.runtime.session.undo_log import UndoStep

_OUTWARD = "e+"
_WAYS = (("INPUT", "-i"), ("OUTPUT", "-o"))
_COUNTED = re.compile(r"^\s*(?P<packets>\d+)\s+\d+\s+DROP\s+(?P<rest>.*)$", re.MULTILINE)
_IPTABLES = ("iptables", "-w", "5")


class PacketFilter:
    """The rules for one service, in a chain of their own, behind an empty one through which its packets pass.

    So switching on, both ways and every rule at once, is one command, and lifting is another that cannot leave half.

    Args:
        sidecar: shares the network of the service's container.
        chain: the name of the chain through which packets pass from the beginning.
    """

    def __init__(self, sidecar: Sidecar, chain: str) -> None:
        self._sidecar = sidecar
        self._chain = chain
        self._rules = f"{chain}-rules"

    @classmethod
    async def beside(cls, container: Container, labels: Mapping[str, str]) -> PacketFilter:
        """Start the sidecar and lay the chains, without any rule in them.

        Args:
            container: the service's container.
            labels: what the sidecar bears.

        Raises:
            EngineRefused: it cannot be done.
        """
        sidecar = await Sidecar.start(
            container,
            NET_TOOLS_IMAGE,
            shares=Shared.NETWORK,
            labels=labels,
            user="0",
            capabilities=("NET_ADMIN", "NET_RAW"),
        )
        packets = cls(sidecar, f"harness-{secrets.token_hex(4)}")
        try:
            await packets._lay()
        except BaseException:
            await sidecar.remove()
            raise
        return packets

    async def drop(self, match: Sequence[str] = ()) -> None:
        """Add a rule that drops every packet that matches, both ways.

        Args:
            match: as iptables writes it.
        """
        await self._sidecar.require([*_IPTABLES, "-A", self._rules, *match, "-j", "DROP"])

    async def let_pass(self, match: Sequence[str]) -> None:
        """Add a rule by which what matches passes by the rules that follow.

        Args:
            match: as iptables writes it.
        """
        await self._sidecar.require([*_IPTABLES, "-A", self._rules, *match, "-j", "RETURN"])

    async def drop_calls(self) -> None:
        """Add a rule for what the service sends to open a connection; counted apart, as only it does that."""
        await self.drop(["-o", _OUTWARD, "-p", "tcp", "--syn"])

    async def switch_on(self) -> None:
        """Have the rules hold for every packet from now on."""
        await self._sidecar.require([*_IPTABLES, "-A", self._chain, "-j", self._rules])

    async def is_on(self) -> bool:
        """Say whether the rules hold."""
        return self._rules in await self._sidecar.require([*_IPTABLES, "-n", "-L", self._chain])

    async def pass_all(self) -> None:
        """Let everything through again."""
        await self._sidecar.require(self._flush)

    def undo_step(self) -> UndoStep:
        """The same, for an undo log."""
        return self._sidecar.undo_step(self._flush)

    @property
    def _flush(self) -> list[str]:
        return [*_IPTABLES, "-F", self._chain]

    async def dropped(self) -> list[int]:
        """How many packets each rule has dropped, in the order in which the rules were added."""
        table = await self._sidecar.require([*_IPTABLES, "-n", "-v", "-x", "-L", self._rules])
        return [int(found["packets"]) for found in _COUNTED.finditer(table)]

    async def close(self) -> None:
        """Remove the chains, which would stay as long as the container, and the sidecar."""
        try:
            for where, device in _WAYS:
                await self._sidecar.require([*_IPTABLES, "-D", where, "!", device, "lo", "-j", self._chain])
            for chain in (self._chain, self._rules):
                await self._sidecar.require([*_IPTABLES, "-F", chain])
                await self._sidecar.require([*_IPTABLES, "-X", chain])
        finally:
            await self._sidecar.remove()

    async def _lay(self) -> None:
        for chain in (self._chain, self._rules):
            await self._sidecar.require([*_IPTABLES, "-N", chain])
        for where, device in _WAYS:
            await self._sidecar.require([*_IPTABLES, "-I", where, "1", "!", device, "lo", "-j", self._chain])


class PacketEffect(ContainerEffect[ServiceFaultT]):
    """What the faults that drop packets have in common."""

    _filter: PacketFilter | None = None

    async def arm(self) -> None:
        """Start the sidecar, and lay the rules."""
        await super().arm()
        self._filter = await PacketFilter.beside(self.container, self.labels)
        await self.lay_rules(self._filter)

    @abstractmethod
    async def lay_rules(self, packets: PacketFilter) -> None:
        """Say which packets are dropped once the fault is on."""

    async def switch_on(self) -> None:
        """Have the rules hold."""
        await self.packets.switch_on()

    async def switch_off(self) -> None:
        """Let everything through."""
        if self._filter is not None:
            await self._filter.pass_all()

    async def observe_healed(self) -> Observation:
        """It answers, and the kernel knows no rule of ours any more."""
        is_on = await self.packets.is_on()
        answers = await super().observe_healed()
        drops = "drops its packets still" if is_on else "drops none of its packets"
        return Observation(as_expected=answers.as_expected and not is_on, saw=f"{answers.saw}; the kernel {drops}")

    def switch_off_steps(self) -> Sequence[UndoStep]:
        """Let everything through."""
        return (self.packets.undo_step(),)

    async def disarm(self) -> None:
        """Remove the sidecar."""
        if self._filter is not None:
            await self._filter.close()
            self._filter = None

    @property
    def packets(self) -> PacketFilter:
        """The rules, once it is armed."""
        assert self._filter is not None, "a fault is armed before it is switched on"
        return self._filter
