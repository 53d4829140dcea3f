"""An endpoint: one way to a service, around every proxy or through a link, and what a probe of it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from harness.runtime.effects.effect import Observation
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_probe import GREETINGS, ProbeResult, send_probe
from harness.stack.link import Link

PROBE_TIMEOUT_S = 1.0
# Without a protocol there is no word of an application to wait for: the kernel alone accepts a connection.
MUTE = "tcp"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to a service.

    Args:
        name: as people know it: ``backend:8000`` or ``workflow -> backend:8000``.
        protocol: in which it is greeted.
        send: sends a probe with a greeting, and waits so many seconds for an answer.
    """

    name: str
    protocol: str
    send: Callable[[bytes, float], Awaitable[ProbeResult]]

    @classmethod
    def direct(cls, running: RunningStack, service: str, port: int) -> Endpoint:
        """A port of a service, around every proxy."""

        def send(greeting: bytes, timeout_s: float) -> Awaitable[ProbeResult]:
            return send_probe(running.address(service, port), greeting, timeout_s)

        return cls(f"{service}:{port}", _protocol(running, service, port), send)

    @classmethod
    def through(cls, running: RunningStack, link: Link) -> Endpoint:
        """The server's port of a link, through the link's proxy."""
        return cls(str(link), _protocol(running, link.server, link.port), running.proxy(link).probe)

    async def probe(self, timeout_s: float = PROBE_TIMEOUT_S) -> ProbeResult:
        """Use it as a client would.

        Args:
            timeout_s: how long silence may last before it is called silence, in seconds.
        """
        return await self.send(GREETINGS[self.protocol], timeout_s)


async def probe_all(endpoints: tuple[Endpoint, ...], timeout_s: float = PROBE_TIMEOUT_S) -> dict[str, ProbeResult]:
    """Probe some endpoints at once; what each probe came to, by the endpoint's name."""
    results = await asyncio.gather(*(endpoint.probe(timeout_s) for endpoint in endpoints))
    return {endpoint.name: result for endpoint, result in zip(endpoints, results, strict=True)}


def held_against(results: Mapping[str, ProbeResult], expected: frozenset[str], before: str) -> Observation:
    """Hold what probes came to against what they should come to.

    Args:
        results: by the endpoint's name.
        expected: every outcome that is as it should be.
        before: what else is known.
    """
    saw = "; ".join([before, *(f"a probe of {name} was '{result.outcome}'" for name, result in results.items())])
    return Observation(as_expected=all(result.outcome in expected for result in results.values()), saw=saw)


def _protocol(running: RunningStack, service: str, port: int) -> str:
    return running.stack.link_probes.get((service, port), MUTE)
