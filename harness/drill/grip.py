"""How an injector takes hold of what a fault is for: a link, or a service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.history.events import Event, Witness
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.link import Link


@dataclass(frozen=True, slots=True)
class Bite:
    """What one witness tells of how often the system met a fault.

    Args:
        witness: who tells.
        count: how often.
        detail: what was counted, for a person.
    """

    witness: Witness
    count: int
    detail: str


class Grip(Protocol):
    """One fault, on what it is for.

    Attributes:
        target: the link or the service, as the history names it.
        links: every link whose traffic may meet the fault.
        log_names: the services in whose logs it may stand.
        proxy_replaced: whether a new proxy was needed to heal it.
    """

    target: str
    links: tuple[Link, ...]
    log_names: tuple[str, ...]
    proxy_replaced: bool

    @property
    def proxies(self) -> tuple[LinkProxy, ...]:
        """The proxies of the links that lead to what the fault is on."""

    async def arm(self) -> None:
        """Get ready, so that switching it on takes no time."""

    async def switch_on(self) -> Sequence[Bite]:
        """Make it true; what it bit by that alone, as connections that it ended."""

    async def look(self) -> Event:
        """See whether it is true."""

    async def bites(self, since_mono_s: float) -> Sequence[Bite]:
        """What proxies and kernel have counted since it was on; asked before it is lifted."""

    async def lift(self) -> None:
        """Take it away, however far it had come."""

    async def why_not_healed(self) -> str | None:
        """None once everything is as before; else what is not."""

    async def disarm(self) -> None:
        """Remove what was made to get ready."""
