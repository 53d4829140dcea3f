"""Which ports of a stack the harness must reach itself: only those are published, and on loopback alone."""

from __future__ import annotations

from collections.abc import Iterator

from harness.stack.addressing import Address, rewrite_addresses
from harness.stack.compose import HttpProbe, Probe, SqlProbe, TcpProbe
from harness.stack.stack import Stack

ServicePort = tuple[str, int]


def published_ports(stack: Stack) -> tuple[ServicePort, ...]:
    """Every port of a service that a link leads to, or that a probe, an adapter or a link probe asks, each once."""
    found: dict[ServicePort, None] = {(link.server, link.port): None for link in stack.links}
    found |= dict.fromkeys(stack.link_probes)

    def note(service: str, port: int) -> Address | None:
        found[stack.names[service], port] = None
        return None

    for text in _texts(stack):
        rewrite_addresses(text, frozenset(stack.names), note)
    return tuple(found)


def _texts(stack: Stack) -> Iterator[str]:
    yield stack.adapters.model_dump_json()
    for service in stack.services.values():
        if service.part.ready is not None:
            yield _address(service.part.ready)


def _address(probe: Probe) -> str:
    match probe:
        case HttpProbe():
            return probe.http
        case TcpProbe():
            return probe.tcp
        case SqlProbe():
            return probe.sql
        case _:
            return ""
