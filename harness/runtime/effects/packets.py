"""Dropping a service's packets: rules in the network namespace of its container, set by a sidecar that shares it."""

from __future__ import annotations

import re
import secrets
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
    """The rules for one service, in a chain of their own through which its packets pass from the beginning.

    So switching on, both ways at once, is one command, and lifting is another that cannot leave half of it.

    Args:
        sidecar: shares the network of the service's container.
        chain: the chain's name.
    """

    def __init__(self, sidecar: Sidecar, chain: str) -> None:
        self._sidecar = sidecar
        self._chain = chain

    @classmethod
    async def beside(cls, container: Container, labels: Mapping[str, str]) -> PacketFilter:
        """Start the sidecar and lay the chain, without any rule in it.

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
        """Drop every packet that matches, both ways.

        Args:
            match: as iptables writes it.
        """
        await self._sidecar.require([*_IPTABLES, "-A", self._chain, *match, "-j", "DROP"])

    async def let_pass(self, match: Sequence[str]) -> None:
        """Have what matches pass by the rules that follow.

        Args:
            match: as iptables writes it.
        """
        await self._sidecar.require([*_IPTABLES, "-A", self._chain, *match, "-j", "RETURN"])

    async def drop_calls(self) -> None:
        """Drop what the service sends to open a connection; counted apart, as only the service itself does it."""
        await self.drop(["-o", _OUTWARD, "-p", "tcp", "--syn"])

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
        table = await self._sidecar.require([*_IPTABLES, "-n", "-v", "-x", "-L", self._chain])
        return [int(found["packets"]) for found in _COUNTED.finditer(table)]

    async def close(self) -> None:
        """Remove the chain, which would stay as long as the container, and the sidecar."""
        try:
            for where, device in _WAYS:
                await self._sidecar.require([*_IPTABLES, "-D", where, "!", device, "lo", "-j", self._chain])
            await self._sidecar.require([*_IPTABLES, "-X", self._chain])
        finally:
            await self._sidecar.remove()

    async def _lay(self) -> None:
        await self._sidecar.require([*_IPTABLES, "-N", self._chain])
        for where, device in _WAYS:
            await self._sidecar.require([*_IPTABLES, "-I", where, "1", "!", device, "lo", "-j", self._chain])


class PacketEffect(ContainerEffect[ServiceFaultT]):
    """What the faults that drop packets have in common."""

    _filter: PacketFilter | None = None

    async def arm(self) -> None:
        """Start the sidecar."""
        await super().arm()
        self._filter = await PacketFilter.beside(self.container, self.labels)

    async def switch_off(self) -> None:
        """Let everything through."""
        if self._filter is not None:
            await self._filter.pass_all()

    async def observe_healed(self) -> Observation:
        """It answers, and the kernel knows no rule of ours any more."""
        rules = len(await self.packets.dropped())
        answers = await super().observe_healed()
        return Observation(
            as_expected=answers.as_expected and not rules, saw=f"{answers.saw}; {rules} rules drop its packets"
        )

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
