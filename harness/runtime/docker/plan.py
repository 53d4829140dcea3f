"""Who meets whom in which network: so that a server's name means the link's Toxiproxy, and nothing reaches around it.

For each link a network without a way out, with the client and the link's Toxiproxy, which bears the server's name. For
each server a network of its own, with the server and the Toxiproxies that lead to it. Ports are published there::

    client ── client--server ── Toxiproxy ── at-server ── server
              (internal)        "server"                   published on 127.0.0.1

No client is in a server's network but one that depends on the server without a link to it, a migration for example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import StackError
from harness.stack.compose import DoneProbe
from harness.stack.link import Link
from harness.stack.stack import Stack

Member = str | Link
"""Who is in a network: a service by its name, or a link's Toxiproxy."""


@dataclass(slots=True)
class Lan:
    """One network.

    Args:
        name: what it is for.
        internal: whether it has no way out; ports are published only where it is not.
        members: who is in it, with the names under which the others find it there; the order gives their addresses.
    """

    name: str
    internal: bool
    members: dict[Member, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """Every network of a stack.

    Args:
        lans: by name, those of links first.
    """

    lans: Mapping[str, Lan]

    def of(self, member: Member) -> list[Lan]:
        """The networks of a member; the one in which its ports are published comes first."""
        return sorted((lan for lan in self.lans.values() if member in lan.members), key=lambda lan: lan.internal)


def at(server: str) -> str:
    """The name of a server's own network."""
    return f"at-{server}"


def between(link: Link) -> str:
    """The name of a link's network."""
    return f"{link.client}--{link.server}"


def plan_networks(stack: Stack, published: frozenset[str]) -> NetworkPlan:
    """Lay the networks of a stack.

    Args:
        stack: what runs.
        published: the services of which a port is published.

    Raises:
        StackError: two links lead from one service to two ports of another.
    """
    lans: dict[str, Lan] = {}
    for link in stack.links:
        if between(link) in lans:
            raise StackError(
                f"{stack.path.name}: there are two links {link.short}; in containers a name stands for one Toxiproxy: "
                "keep the port that matters"
            )
        lans[between(link)] = Lan(
            between(link), internal=True, members={link.client: [], link: stack.names_of(link.server)}
        )
    for server in stack.services:
        links = stack.links_to(server)
        direct = [service.name for service in stack.services.values() if _depends_directly(stack, service.name, server)]
        if links or direct or server in published:
            own_name = [] if any(link.client == server for link in links) else stack.names_of(server)
            others: tuple[Member, ...] = (*links, *direct)
            members: dict[Member, list[str]] = {server: [*own_name, f"{server}.direct"]}
            members |= {member: [] for member in others}
            lans[at(server)] = Lan(at(server), internal=False, members=members)
    return NetworkPlan(lans)


def _depends_directly(stack: Stack, client: str, server: str) -> bool:
    if server not in stack.services[client].depends_on or isinstance(stack.services[server].part.ready, DoneProbe):
        return False
    return all(link.client != client for link in stack.links_to(server))
