"""A proposal for a foreign compose file: what was found in it, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.init.foreign import ForeignService, read_foreign
from harness.init.gateways import FoundGateway, find_gateway, of_gateway
from harness.init.jobs import find_jobs
from harness.init.known import protocol
from harness.init.links import FoundLink, find_links
from harness.init.mounts import FoundMount, find_mounts
from harness.init.readiness import FoundProbe, database_of, find_probe, has_health_check


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an overlay would say.

    Args:
        compose: the compose file.
        only: the services that the user named; empty for all.
        services: the services.
        links: their connections.
        probes: for each service of which something is known, how its readiness is seen.
        entrance: a service and port that speaks HTTP, where a workload could send its requests.
        database: the address of a Postgres of the system.
        mounts: what services mount of this machine, and could write to.
        gateway: the broker's real gateway, in whose place a drill has the stub.
    """

    compose: Path
    only: tuple[str, ...]
    services: Mapping[str, ForeignService]
    links: tuple[FoundLink, ...]
    probes: Mapping[str, FoundProbe]
    entrance: tuple[str, int] | None
    database: str | None
    mounts: tuple[FoundMount, ...] = ()
    gateway: FoundGateway | None = None

    @property
    def clients(self) -> tuple[str, ...]:
        """The services that call others again and again: what each says of its own work shows whether it goes on."""
        jobs = {name for name, probe in self.probes.items() if probe.kind == "done"}
        return tuple(dict.fromkeys(each.link.client for each in self.links if each.link.client not in jobs))

    @property
    def link_probes(self) -> dict[str, str]:
        """For each server that can be greeted, in which protocol."""
        greeted = {(each.link.server, each.link.port): each.protocol for each in self.links}
        return {f"{server}:{port}": word for (server, port), word in greeted.items() if word is not None}

    @property
    def unlinked(self) -> tuple[str, ...]:
        """The services that stand at neither end of a link."""
        linked = {end for each in self.links for end in (each.link.client, each.link.server)}
        return tuple(name for name in self.services if name not in linked)

    @property
    def unwatched(self) -> tuple[str, ...]:
        """The services of which nothing says when they are ready: neither a probe nor a health check."""
        return tuple(
            name for name, service in self.services.items() if name not in self.probes and not has_health_check(service)
        )


def propose(compose: Path, variables: Mapping[str, str], only: tuple[str, ...] = ()) -> Proposal:
    """Read a compose file and say what can be drilled in it.

    Args:
        compose: the file.
        variables: what ``${NAME}`` stands for.
        only: the services to be drilled; without them all.

    Raises:
        StackError: the file is missing or wrong, or a service does not exist.
    """
    services = read_foreign(compose, variables, only)
    found = {name: probe for name, service in services.items() if (probe := find_probe(service)) is not None}
    probes = found | find_jobs(services)
    databases = [dsn for service in services.values() if (dsn := database_of(service)) is not None]
    links = find_links(services)
    gateway = find_gateway(services, links)
    links = of_gateway(gateway, links)
    if gateway is not None:
        probes[gateway.service] = gateway.ready
    replaced = {name: each for name, each in services.items() if gateway is None or name != gateway.service}
    return Proposal(
        compose=compose,
        only=only,
        services=services,
        links=links,
        probes=probes,
        entrance=_entrance(services, links),
        database=databases[0] if databases else None,
        mounts=find_mounts(replaced, compose.resolve().parent),
        gateway=gateway,
    )


def _entrance(services: Mapping[str, ForeignService], links: tuple[FoundLink, ...]) -> tuple[str, int] | None:
    """The first service that speaks HTTP to the world: one that no other service calls comes first."""
    servers = {each.link.server for each in links}
    speaks = [
        (name, port)
        for name, service in services.items()
        for port in service.compose.ports
        if protocol(None, port) == "http"
    ]
    return min(speaks, key=lambda each: each[0] in servers, default=None)
