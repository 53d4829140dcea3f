"""Who goes first when everything is started at once: what takes long, with all that it waits for.

A machine starts only so many containers at a time; what is started before the slowest service delays the stack.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from harness.stack.link import Link
from harness.stack.stack import Service


class StartOrder:
    """Ranks, from 0; a rank begins once all of the rank before is on its way.

    Args:
        services: those that are started.
    """

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services
        urgency_s = {name: self._urgency_s(name) for name in services}
        order = sorted(set(urgency_s.values()), reverse=True)
        self._rank = {name: order.index(value) for name, value in urgency_s.items()}
        # One that must wait until another is ready holds up no other.
        self._awaited = [
            {name for name in services if self._rank[name] == rank and not self._waits_for_readiness(name)}
            for rank in range(len(order))
        ]
        self._begun = [asyncio.Event() for _ in order]
        for rank in range(len(order)):
            self._note(rank)

    def rank(self, service: str) -> int:
        """A service's rank."""
        return self._rank[service]

    def rank_of_proxy(self, link: Link) -> int:
        """The rank of a link's proxy: its client's, if that cannot start without it; otherwise the last."""
        client = self._services.get(link.client)
        needed = client is not None and link.server in client.depends_on
        return self._rank[link.client] if needed else len(self._begun) - 1

    async def turn(self, rank: int) -> None:
        """Wait until every rank before this one is on its way."""
        for before in self._begun[:rank]:
            await before.wait()

    def launched(self, service: str) -> None:
        """Note that a service was started."""
        rank = self._rank[service]
        self._awaited[rank].discard(service)
        self._note(rank)

    def _note(self, rank: int) -> None:
        if not self._awaited[rank]:
            self._begun[rank].set()

    def _urgency_s(self, name: str) -> float:
        """The longest time that it, or a service that waits for it, is given to become ready."""
        own_s = self._services[name].part.ready_within_s
        waiting = (other for other, service in self._services.items() if name in service.depends_on)
        return max([own_s, *(self._urgency_s(other) for other in waiting)])

    def _waits_for_readiness(self, name: str) -> bool:
        needs = self._services[name].depends_on
        return any(must_be_ready and needed in self._services for needed, must_be_ready in needs.items())
