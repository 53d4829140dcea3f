"""An endpoint: one way to a service, around every proxy or through a link, and what a probe of it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from harness.history.events import ProbeOutcome
from harness.runtime.effects.usual import Usual
from harness.runtime.running import RunningStack
from harness.runtime.toxiproxy.link_probe import GREETINGS, ProbeResult, send_probe
from harness.stack.link import Link

PROBE_TIMEOUT_S = 1.0
# Without a protocol the harness can only listen: what comes is held against what came before the fault.
MUTE = "tcp"
_BASELINE_PROBES = 5


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

    async def usual(self, probes: int = _BASELINE_PROBES) -> Usual:
        """See what it does without a fault, by so many probes; by one where silence would have to be waited for."""
        first = await self.probe()
        if first.outcome is ProbeOutcome.SILENT:
            return Usual.of([first])
        return Usual.of([first, *[await self.probe() for _ in range(probes - 1)]])

    def is_as_usual(self, result: ProbeResult, usual: Usual | None = None) -> bool:
        """Whether a probe came to what it comes to without a fault.

        Args:
            result: what the probe came to.
            usual: what it came to before; only a port without a protocol may be silent, and only if it was before.
        """
        if self.protocol != MUTE:
            return result.outcome is ProbeOutcome.ANSWERED
        if usual is not None:
            return usual.is_back(result)
        return result.connected and result.outcome in {ProbeOutcome.ANSWERED, ProbeOutcome.SILENT}


async def probe_all(endpoints: tuple[Endpoint, ...], timeout_s: float = PROBE_TIMEOUT_S) -> dict[str, ProbeResult]:
    """Probe some endpoints at once; what each probe came to, by the endpoint's name."""
    results = await asyncio.gather(*(endpoint.probe(timeout_s) for endpoint in endpoints))
    return {endpoint.name: result for endpoint, result in zip(endpoints, results, strict=True)}


def told(results: Mapping[str, ProbeResult], before: str) -> str:
    """What probes came to, for a person.

    Args:
        results: by the endpoint's name.
        before: what else is known.
    """
    return "; ".join([before, *(f"a probe of {name} was '{result.outcome}'" for name, result in results.items())])


def _protocol(running: RunningStack, service: str, port: int) -> str:
    return running.stack.link_probes.get((service, port), MUTE)
