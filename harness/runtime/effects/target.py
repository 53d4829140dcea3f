"""A running service as faults and their proofs see it: the service, and every way to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from harness.runtime.running import RunningStack
from harness.runtime.service import RunningService
from harness.runtime.session.labels import labels_of
from harness.runtime.toxiproxy.link_probe import GREETINGS, ProbeResult, send_probe
from harness.runtime.toxiproxy.link_proxy import LinkProxy

PROBE_TIMEOUT_S = 1.0
# Without an application's word there is nothing to be silent about: the kernel alone accepts a connection.
MUTE = "tcp"


@dataclass(frozen=True, slots=True)
class Door:
    """One way to a service.

    Args:
        name: as people know it: ``backend:8000`` or ``workflow -> backend:8000``.
        protocol: in which it is greeted.
        send: sends a link probe with a greeting, and waits so many seconds for an answer.
    """

    name: str
    protocol: str
    send: Callable[[bytes, float], Awaitable[ProbeResult]]

    async def knock(self, timeout_s: float = PROBE_TIMEOUT_S) -> ProbeResult:
        """Send a link probe."""
        return await self.send(GREETINGS[self.protocol], timeout_s)


@dataclass(frozen=True, slots=True)
class Target:
    """A running service, and every way to it.

    Args:
        service: the service.
        session_id: the session to which everything belongs that is started for a fault.
        doors: its ports, around every proxy.
        links: its ports, through the proxies of the links to it.
        proxies: those proxies.
    """

    service: RunningService
    session_id: str
    doors: tuple[Door, ...]
    links: tuple[Door, ...]
    proxies: tuple[LinkProxy, ...]

    @property
    def labels(self) -> Mapping[str, str]:
        """What a sidecar bears, so that whoever removes the session removes it too."""
        return {**labels_of(self.session_id), "harness.sidecar-of": self.service.name}

    @classmethod
    def of(cls, running: RunningStack, name: str) -> Target:
        """The service called ``name`` of a running stack."""
        links = running.stack.links_to(name)
        link_probes = running.stack.link_probes
        ports = sorted({link.port for link in links})
        return cls(
            service=running.service(name),
            session_id=running.session_id,
            doors=tuple(
                Door(f"{name}:{port}", link_probes.get((name, port), MUTE), _direct(running, name, port))
                for port in ports
            ),
            links=tuple(
                Door(str(link), link_probes.get((name, link.port), MUTE), running.proxy(link).probe) for link in links
            ),
            proxies=tuple(running.proxy(link) for link in links),
        )


def _direct(running: RunningStack, name: str, port: int) -> Callable[[bytes, float], Awaitable[ProbeResult]]:
    def send(greeting: bytes, timeout_s: float) -> Awaitable[ProbeResult]:
        return send_probe(running.address(name, port), greeting, timeout_s)

    return send


async def knock_at(doors: tuple[Door, ...], timeout_s: float = PROBE_TIMEOUT_S) -> dict[str, ProbeResult]:
    """Send a link probe to each of them at once; what each came to, by the door's name."""
    seen = await asyncio.gather(*(door.knock(timeout_s) for door in doors))
    return {door.name: each for door, each in zip(doors, seen, strict=True)}
