"""Where everything of a local stack is: ports, directories, and what a service's description means with them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import StackError
from harness.runtime.local.saboteur_switch import SaboteurSwitch
from harness.runtime.local.template import Template, template_of
from harness.runtime.session.session import Session
from harness.stack.addressing import Address, Places, fill, placeholder_ports, rewrite_addresses, rewrite_environment
from harness.stack.link import Link
from harness.stack.stack import Service, Stack

_LOOPBACK = "127.0.0.1"


class LocalLayout:
    """The places of a stack in a session; every port is chosen at once.

    Args:
        stack: what runs.
        session: owns ports and directories.
        cache: where templates are kept.
        saboteur: the defect to plant in the system, if any; empty where one may be planted later.
    """

    def __init__(self, stack: Stack, session: Session, *, cache: Path, saboteur: str | None) -> None:
        self.volumes = session.directory / "volumes"
        self._stack = stack
        self._session = session
        self._cache = cache
        self._saboteur = saboteur
        self._names = stack.names
        self._ports = {key: session.ports.take() for key in _ports_of(stack)}
        self._link_ports = {link: session.ports.take() for link in stack.links}

    def address(self, service: str, port: int) -> Address:
        """Where a service's port is reached directly, around every proxy.

        Raises:
            StackError: the compose file does not say that it listens there.
        """
        try:
            return _LOOPBACK, self._ports[service, port]
        except KeyError:
            raise StackError(f"nothing in {self._stack.path.name} says that {service} listens on port {port}") from None

    def link_address(self, link: Link) -> Address:
        """Where the client of a link reaches the server: the link's proxy."""
        return _LOOPBACK, self._link_ports[link]

    def rewrite_addresses(self, text: str) -> str:
        """A text of the compose file with direct addresses in it."""
        return rewrite_addresses(text, frozenset(self._names), self._direct)

    def data(self, service: str) -> Path:
        """The directory of a service's own."""
        return self._session.directory / service

    def template(self, service: Service) -> Template | None:
        """The template of a service's data, if it has one."""
        return template_of(self._stack, service, self._cache)

    def fill(self, text: str, service: Service) -> str:
        """A text of the compose file with a service's places in it."""
        return fill(text, self._places(service))

    def argv(self, service: Service, words: Sequence[str]) -> list[str]:
        """A command with a service's places in it; its Python is ours."""
        places = self._places(service)
        program, *others = (fill(word, places) for word in words)
        return [sys.executable if program == "python" else program, *others]

    def environment(self, service: Service) -> dict[str, str]:
        """The whole environment of a service: other services' addresses in it are those of its links' proxies."""
        places = self._places(service)
        own = {key: fill(value, places) for key, value in {**service.environment, **service.part.environment}.items()}
        own = rewrite_environment(
            own, frozenset(self._names), lambda name, port: self._through_links(service.name, name, port)
        )
        environment = self._session.environment() | own
        python_path = [environment.get("PYTHONPATH"), str(self._stack.project)]
        if self._saboteur is not None and self._stack.saboteur_hook is not None:
            python_path.insert(0, str(self._stack.saboteur_hook))
            environment |= SaboteurSwitch(self._session.directory).environment
        environment["PYTHONPATH"] = ":".join(path for path in python_path if path)
        return environment

    def disk_usage(self) -> dict[str, int]:
        """How many bytes lie in each service's own directory, and in each volume, by a name for people."""
        own = {f"the directory of {name}": self.data(name) for name in self._stack.services}
        volumes = {f"volume {path.name}": path for path in self.volumes.iterdir()} if self.volumes.is_dir() else {}
        return {name: _size_of(path) for name, path in {**own, **volumes}.items() if path.is_dir()}

    def _places(self, service: Service) -> Places:
        template = self.template(service)
        return Places(
            ports={port: here for (name, port), here in self._ports.items() if name == service.name},
            data=str(self.data(service.name)),
            volumes=str(self.volumes),
            project=str(self._stack.project),
            template=str(template.path) if template else "",
        )

    def _direct(self, service: str, port: int) -> Address | None:
        here = self._ports.get((self._names[service], port))
        return None if here is None else (_LOOPBACK, here)

    def _through_links(self, client: str, service: str, port: int) -> Address | None:
        here = self._link_ports.get(Link(client, self._names[service], port))
        return self._direct(service, port) if here is None else (_LOOPBACK, here)


def _ports_of(stack: Stack) -> dict[tuple[str, int], None]:
    """The ports that links lead to or services say that they listen on, each once."""
    wanted = {(link.server, link.port): None for link in stack.links}
    for service in stack.services.values():
        texts = (*service.part.run, *service.part.environment.values())
        wanted |= {(service.name, port): None for port in placeholder_ports(texts)}
    return wanted


def _size_of(directory: Path) -> int:
    total = 0
    for folder, _, files in os.walk(directory):
        for name in files:
            with suppress(OSError):  # it has gone meanwhile
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - thousands of files, each drill
    return total
