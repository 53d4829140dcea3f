"""What of the system's own traffic over a link a fault has hit: operations that were in flight, by the witness's word.

A Toxiproxy that is not ours tells of connections alone: then those that came under the fault are all that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.history.events import Witness
from harness.runtime.effects.effect import Hit
from harness.runtime.toxiproxy.attempts import Attempts
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.runtime.toxiproxy.link_use import LinkUse
from harness.stack.link import Link

# The witness tells every 50 ms at most; its word, and a packet, need a moment more to be read on a busy machine.
TOLD_WITHIN_S = 0.15


def accepted_hits(proxies: Iterable[LinkProxy], since_mono_s: float) -> Sequence[Hit]:
    """Count the connections that came under the fault.

    Args:
        proxies: those of the links.
        since_mono_s: the monotonic time in seconds at which it was on.
    """
    came = sum(len(proxy.system_connections(since_mono_s)) for proxy in proxies)
    return _hit(came, "connections accepted under the fault")


def still_hits(proxies: Sequence[LinkProxy], since_mono_s: float) -> Sequence[Hit]:
    """Count the connections on which bytes of the system's client stood still, or which have heard nothing at all.

    Args:
        proxies: those of the links.
        since_mono_s: the monotonic time in seconds at which the fault was on.
    """
    if not all(proxy.has_witness for proxy in proxies):
        return accepted_hits(proxies, since_mono_s)
    uses = [each for proxy in proxies for each in proxy.system_uses()]
    # A connection over which nothing has moved yet is not told of by the witness.
    told = {each.accepted for each in uses}
    silent = [each for proxy in proxies for each in proxy.system_connections(since_mono_s) if each not in told]
    still = [each for each in uses if _stood_still(each, since_mono_s)]
    return _hit(len(still) + len(silent), "connections that stood still: not answered, or not even greeted")


def unanswered_hits(proxies: Sequence[LinkProxy], since_mono_s: float) -> Sequence[Hit]:
    """Count the connections on which what the system's client said under the fault came to nothing.

    Args:
        proxies: those of the links.
        since_mono_s: the monotonic time in seconds at which the fault was on.
    """
    if not all(proxy.has_witness for proxy in proxies):
        return accepted_hits(proxies, since_mono_s)
    uses = [each for proxy in proxies for each in proxy.system_uses()]
    unanswered = sum(each.is_unanswered_since(since_mono_s) for each in uses)
    return _hit(unanswered, "connections on which what the client said was not answered under the fault")


def used_hits(proxies: Sequence[LinkProxy], since_mono_s: float) -> Sequence[Hit]:
    """Count the connections that were used under a fault of which no more is known.

    Args:
        proxies: those of the links.
        since_mono_s: the monotonic time in seconds at which the fault was on.
    """
    uses = [each for proxy in proxies for each in proxy.system_uses()]
    used = {each.accepted for each in uses if each.up_bytes and each.up_at_mono_s >= since_mono_s}
    came = {each for proxy in proxies for each in proxy.system_connections(since_mono_s)}
    return _hit(len(used | came), "connections used under the fault")


class AttemptsHit:
    """How often the system tries to connect over some links while nothing listens there."""

    def __init__(self) -> None:
        self._watched: list[Attempts] = []

    def watch(self, links: Iterable[Link], proxies: Iterable[LinkProxy]) -> None:
        """Begin to watch some links, as far as this machine lets us.

        Args:
            links: the links.
            proxies: theirs.
        """
        watched = (proxy.watch_attempts(link.port) for link, proxy in zip(links, proxies, strict=True))
        self._watched += [each for each in watched if each is not None]

    def count(self, since_mono_s: float) -> Sequence[Hit]:
        """Count the attempts since a monotonic time in seconds."""
        tried = sum(each.since(since_mono_s) for each in self._watched)
        return (
            (Hit(Witness.KERNEL, tried, "attempts to connect that were refused", are_attempts=True),) if tried else ()
        )

    def close(self) -> None:
        """Watch no more."""
        for each in self._watched:
            each.close()
        self._watched = []


class AnswersHit:
    """How many answers a fault has held up or cut off on one link, since this was made.

    Args:
        proxy: the link's.
    """

    def __init__(self, proxy: LinkProxy) -> None:
        self._proxy = proxy
        self._late, self._lost = self._now()

    def late(self) -> Sequence[Hit]:
        """Those that were late by the whole delay, or stood still when it was lifted."""
        return _hit(self._now()[0] - self._late, "answers to the system's client held up by the fault")

    def lost(self) -> Sequence[Hit]:
        """Those in whose place the connection was cut."""
        return _hit(self._now()[1] - self._lost, "answers to the system's client lost by the fault")

    def _now(self) -> tuple[int, int]:
        uses = self._proxy.system_uses()
        return sum(each.late for each in uses), sum(each.lost for each in uses)


def _stood_still(use: LinkUse, since_mono_s: float) -> bool:
    return use.is_unanswered_since(since_mono_s) or use.has_heard_nothing_since(since_mono_s)


def _hit(count: int, detail: str) -> Sequence[Hit]:
    return (Hit(Witness.PROXY, count, detail),) if count > 0 else ()
