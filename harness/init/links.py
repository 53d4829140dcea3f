"""Links, found where a compose file names one service in the settings of another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.init.foreign import ForeignService
from harness.init.known import SCHEME_PORTS, protocol
from harness.stack.link import Link

# user:password@ may stand between the scheme and the host.
_BEFORE = r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^\s/]*@)?|(?<![\w.@/-])|(?<=@))"


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link, and where the file tells of it.

    Args:
        link: the connection.
        where: the place, for people.
        protocol: in which the server may be greeted; None where only connecting is known.
    """

    link: Link
    where: str
    protocol: str | None


def find_links(services: Mapping[str, ForeignService]) -> tuple[FoundLink, ...]:
    """Every link that the file tells of, each once, where it is told best."""
    found: dict[Link, FoundLink] = {}
    for client in services.values():
        for each in (*_in_environment(client, services), *_in_command(client, services)):
            found.setdefault(each.link, each)
    for client in services.values():
        for each in _in_dependencies(client, services):
            if not any((link.client, link.server) == (each.link.client, each.link.server) for link in found):
                found.setdefault(each.link, each)
    return tuple(found.values())


def _in_environment(client: ForeignService, services: Mapping[str, ForeignService]) -> Iterator[FoundLink]:
    for key, value in client.environment.items():
        where = f"environment: {key}"
        yield from _in_text(client, value, where, services)
        server = _owners(services).get(value, client.name)
        if server != client.name:
            yield from _bare_name(client, key, services[server])


def _in_command(client: ForeignService, services: Mapping[str, ForeignService]) -> Iterator[FoundLink]:
    for key, words in (("command", client.compose.command), ("entrypoint", client.compose.entrypoint)):
        for word in words or ():
            yield from _in_text(client, word, key, services)


def _in_text(
    client: ForeignService, text: str, where: str, services: Mapping[str, ForeignService]
) -> Iterator[FoundLink]:
    """Addresses inside a text: ``server:port``, or a URL whose scheme has a port of its own."""
    owners = _owners(services)
    names = "|".join(re.escape(name) for name in sorted(owners, key=len, reverse=True))
    for match in re.finditer(rf"{_BEFORE}(?P<name>{names})(?::(?P<port>\d{{1,5}})\b|(?=[/?]|$))", text):
        scheme = match["scheme"]
        port = int(match["port"]) if match["port"] else SCHEME_PORTS.get((scheme or "").partition("+")[0])
        server = owners[match["name"]]
        if port is not None and server != client.name:
            yield FoundLink(Link(client.name, server, port), where, protocol(scheme, port))


def _owners(services: Mapping[str, ForeignService]) -> dict[str, str]:
    """Every name under which a service is found, with the service: its container's name is one, too."""
    others = {each.compose.container_name: name for name, each in services.items() if each.compose.container_name}
    return others | {name: name for name in services}


def _bare_name(client: ForeignService, key: str, server: ForeignService) -> Iterator[FoundLink]:
    """A value that is a service's name and nothing more: its port stands beside it, or is the service's own."""
    beside = f"{key.removesuffix('HOST')}PORT"
    port = client.environment.get(beside, "")
    if key.endswith("HOST") and port.isdigit():
        where = f"environment: {key}, {beside}"
        yield FoundLink(Link(client.name, server.name, int(port)), where, protocol(None, int(port)))
        return
    for known in server.ports[:1]:
        where = f"environment: {key}, and port {known} of {server.name}"
        yield FoundLink(Link(client.name, server.name, known), where, protocol(None, known))


def _in_dependencies(client: ForeignService, services: Mapping[str, ForeignService]) -> Iterator[FoundLink]:
    for name, how in client.compose.depends_on.items():
        if name in services and how.condition != "service_completed_successfully":
            for port in services[name].ports[:1]:
                where = f"depends_on, and port {port} of {name}: a guess"
                yield FoundLink(Link(client.name, name, port), where, protocol(None, port))
