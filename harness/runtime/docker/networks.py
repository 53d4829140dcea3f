"""The networks of a session: small ones, each with addresses of its own that never change."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Iterator

from docker.errors import APIError
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.plan import Lan, Member
from harness.runtime.session.labels import labels_of
from harness.runtime.session.session import Session

# Set aside for tests of network devices: no real network has them. Source: RFC 2544, appendix C.
_RANGE = ipaddress.ip_network("198.18.0.0/15")
_GATEWAY, _FIRST_MEMBER = 1, 2
_ATTEMPTS = 200
# Docker's words, and Podman's.
_TAKEN = re.compile(r"overlap|subnet \S+ is already used", re.IGNORECASE)
# Nothing of theirs leaves the machine, and what they publish can be reached from this machine alone.
_PUBLISHING = {
    "com.docker.network.bridge.enable_ip_masquerade": "false",
    "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
}


class Networks:
    """The networks of one session.

    Args:
        engine: where they are.
        session: whose they are.
    """

    def __init__(self, engine: Engine, session: Session) -> None:
        self._engine = engine
        self._session = session
        self._made: dict[str, Network] = {}
        self._addresses: dict[tuple[str, Member], str] = {}
        self._gateways: dict[str, str] = {}

    def full_name(self, lan: Lan) -> str:
        """The network's name in the engine."""
        return f"harness-{self._session.id}-{lan.name}"

    def address(self, lan: Lan, member: Member) -> str:
        """The address that a member has in a network that was made."""
        return self._addresses[lan.name, member]

    def gateway(self, lan: Lan) -> str:
        """The address of a network's way out, if it has one: of the machine that the engine runs on."""
        return self._gateways[lan.name]

    def made(self, lan: Lan) -> Network:
        """The network, once it was made."""
        return self._made[lan.name]

    async def make(self, lan: Lan) -> None:
        """Make a network, in the first range of addresses that is free.

        Raises:
            HarnessError: the engine refuses.
        """
        with self._session.reaper.asking():
            self._made[lan.name], subnet = await self._engine.call(
                f"make the network {lan.name}", lambda: self._claim(lan)
            )
        self._gateways[lan.name] = str(subnet[_GATEWAY])
        for place, member in enumerate(lan.members, start=_FIRST_MEMBER):
            self._addresses[lan.name, member] = str(subnet[place])

    def _claim(self, lan: Lan) -> tuple[Network, ipaddress.IPv4Network]:
        # Room for sidecars besides the members.
        size = max(8, 1 << (len(lan.members) + _FIRST_MEMBER + 4).bit_length())
        for subnet in _subnets(size):
            pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[_GATEWAY]))
            try:
                made = self._engine.client.networks.create(
                    self.full_name(lan),
                    driver="bridge",
                    internal=lan.internal,
                    labels=labels_of(self._session.id, directory=self._session.directory),
                    options=None if lan.internal else _PUBLISHING,
                    ipam=IPAMConfig(pool_configs=[pool]),
                )
            except APIError as cause:
                if not taken(str(cause.explanation)):
                    raise
                continue
            return made, subnet
        raise HarnessError(f"no free range of addresses in {_RANGE} for the network {lan.name}: `harness clean`")


def taken(explanation: str) -> bool:
    """Whether an engine refused a network because its range of addresses is taken.

    Args:
        explanation: the engine's words.
    """
    return _TAKEN.search(explanation) is not None


def _subnets(size: int) -> Iterator[ipaddress.IPv4Network]:
    """Ranges of so many addresses, at random: two sessions need not know of one another, and the engine decides."""
    prefix = 32 - (size - 1).bit_length()
    slots = 1 << (prefix - _RANGE.prefixlen)
    for _ in range(_ATTEMPTS):
        slot = random.SystemRandom().randrange(slots)
        yield ipaddress.IPv4Network((int(_RANGE.network_address) + slot * (1 << (32 - prefix)), prefix))
