"""Addresses in the place of service names: what lets a link be cut without a change in the system's configuration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Address = tuple[str, int]
Resolve = Callable[[str, int], Address | None]
_PLACEHOLDER = re.compile(r"\{(port:(?P<port>\d+)|volume:(?P<volume>[\w.-]+)|data|project|template)\}")


@dataclass(frozen=True, slots=True)
class Places:
    """What the placeholders of one service stand for.

    Args:
        ports: for each port of the service, its local port.
        data: a directory of the service's own.
        volumes: the directory in the place of all volumes; each is a directory in it.
        project: the directory of the compose file.
        template: where the service's template is kept, if it has one.
    """

    ports: Mapping[int, int]
    data: str
    volumes: str
    project: str
    template: str = ""


def placeholder_ports(texts: tuple[str, ...]) -> tuple[int, ...]:
    """The service ports that ``{port:N}`` asks for, each once."""
    found = (int(match["port"]) for text in texts for match in _PLACEHOLDER.finditer(text) if match["port"])
    return tuple(dict.fromkeys(found))


def fill(text: str, places: Places) -> str:
    """Put the places into a text's placeholders."""

    def replace(match: re.Match[str]) -> str:
        if match["port"]:
            return str(places.ports[int(match["port"])])
        if match["volume"]:
            return f"{places.volumes}/{match['volume']}"
        return {"{data}": places.data, "{project}": places.project, "{template}": places.template}[match[0]]

    return _PLACEHOLDER.sub(replace, text)


def rewrite_addresses(text: str, services: frozenset[str], resolve: Resolve) -> str:
    """Replace each ``service:port`` in a text (an address, a URL, a DSN) by where it is really reached.

    Args:
        text: the value as the compose file has it.
        services: the names to look for.
        resolve: where a service's port is reached from here, or None when it is not known.
    """
    names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))

    def replace(match: re.Match[str]) -> str:
        address = resolve(match["name"], int(match["port"]))
        return match[0] if address is None else f"{address[0]}:{address[1]}"

    return re.sub(rf"(?<![\w.-])(?P<name>{names}):(?P<port>\d{{1,5}})\b", replace, text)


def rewrite_environment(environment: Mapping[str, str], services: frozenset[str], resolve: Resolve) -> dict[str, str]:
    """An environment with the real addresses in it.

    Besides ``service:port`` inside a value, it knows the pair ``X_HOST=service``, ``X_PORT=port``.
    """
    rewritten = {key: rewrite_addresses(value, services, resolve) for key, value in environment.items()}
    for key, value in environment.items():
        port_key = f"{key.removesuffix('HOST')}PORT"
        port = environment.get(port_key, "")
        if key.endswith("HOST") and value in services and port.isdigit():
            address = resolve(value, int(port))
            if address is not None:
                rewritten[key], rewritten[port_key] = address[0], str(address[1])
    return rewritten
