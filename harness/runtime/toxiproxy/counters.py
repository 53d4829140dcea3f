"""What a Toxiproxy server has counted on its link."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r'toxiproxy_proxy_(received|sent)_bytes_total\{[^}]*direction="(upstream|downstream)"[^}]*\} (\S+)')


@dataclass(frozen=True, slots=True)
class Counters:
    """Bytes that the proxy took in and passed on, by direction.

    Toxiproxy adds a connection's bytes when that connection ends, not as they flow, and does not count as sent what
    a connection sent that could not be written to its end: an open connection of a pool shows nothing here.

    Args:
        received_upstream_bytes: taken in from the client.
        sent_upstream_bytes: passed on to the server.
        received_downstream_bytes: taken in from the server.
        sent_downstream_bytes: passed on to the client.

    Source: ``link.go`` of Toxiproxy 2.12 (``read`` and ``write``), METRICS.md
    """

    received_upstream_bytes: int = 0
    sent_upstream_bytes: int = 0
    received_downstream_bytes: int = 0
    sent_downstream_bytes: int = 0

    @classmethod
    def parse(cls, metrics: str) -> Counters:
        """Read them from Prometheus' text format.

        Args:
            metrics: the answer of ``/metrics``.
        """
        found = {f"{what}_{direction}_bytes": int(float(value)) for what, direction, value in _LINE.findall(metrics)}
        return cls(**found)

    def __add__(self, other: Counters) -> Counters:
        return Counters(
            self.received_upstream_bytes + other.received_upstream_bytes,
            self.sent_upstream_bytes + other.sent_upstream_bytes,
            self.received_downstream_bytes + other.received_downstream_bytes,
            self.sent_downstream_bytes + other.sent_downstream_bytes,
        )
