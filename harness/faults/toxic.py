"""A toxic: what one Toxiproxy server is told to do to the bytes of its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

WITNESS = "witness"
"""The toxic of our own server that is on every link from its beginning: it notes what moves, and acts on answers."""

Stream = Literal["upstream", "downstream"]
"""The direction in which a toxic acts, seen from the client of the link."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """One toxic of Toxiproxy 2.12, or what its witness is told.

    Args:
        type: Toxiproxy's own name (``timeout``, ``reset_peer``, ``latency`` …).
        stream: the direction in which it acts.
        attributes: Toxiproxy's own attribute names, in Toxiproxy's own units (milliseconds for ``timeout`` and
            ``latency``, bytes for ``limit_data``).

    Source: https://github.com/Shopify/toxiproxy#toxics
    """

    type: str
    stream: Stream
    attributes: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name under which Toxiproxy knows it: unique per type and direction."""
        return f"{self.type}_{self.stream}"
