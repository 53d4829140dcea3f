"""A connection that a link's proxy accepted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """A connection that the proxy accepted.

    Args:
        at_mono_s: monotonic time in seconds (``time.monotonic``) at which the log told of it.
        client_host: the address that the client called from.
        client_port: the port that it called from.
        from_claimed_port: whether the harness had claimed that port for a connection of its own.
    """

    at_mono_s: float
    client_host: str
    client_port: int
    from_claimed_port: bool = False
