"""A stack: the services that a drill needs, the links between them, and what the harness may ask them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StackError
from harness.stack.adapters import Adapters
from harness.stack.compose import ComposeFile, ComposeService, ServicePart
from harness.stack.container import Container
from harness.stack.interpolation import interpolate
from harness.stack.link import Link, matches, parse_link
from harness.stack.safety import refuse_live_targets
from harness.stack.source import Source, read_source, validate

_SECRET_BYTES = 18


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the stack.

    Args:
        name: as the compose file calls it.
        environment: what Compose would give it, before addresses are put in the place of service names.
        depends_on: the services that come first; True for one that must be ready, False for one that need only have
            been started.
        part: what the harness alone needs to know: how it runs as a local process, and how its readiness is seen.
        container: how it runs as a container; None when the file names neither an image nor how to build one.
    """

    name: str
    environment: Mapping[str, str]
    depends_on: Mapping[str, bool]
    part: ServicePart
    container: Container | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs for a drill, as one compose file describes it.

    Args:
        path: the compose file.
        services: by name, in the order of the file.
        links: every connection between two services that goes through a proxy.
        adapters: where and how the harness asks what happened.
        scenarios: those that run when none is named.
        secrets: values that must not stand in a log or report.
        canaries: for a server and its port, the protocol in which the harness may greet it.
        saboteur_hook: the directory whose ``sitecustomize`` plants a saboteur, if the stack has one.
    """

    path: Path
    services: Mapping[str, Service]
    links: tuple[Link, ...]
    adapters: Adapters
    scenarios: tuple[str, ...]
    secrets: tuple[str, ...]
    canaries: Mapping[tuple[str, int], str]
    saboteur_hook: Path | None

    @property
    def project(self) -> Path:
        """The directory of the compose file."""
        return self.path.parent

    def link(self, text: str) -> Link:
        """The link that a scenario names, with or without its port.

        Raises:
            StackError: there is no such link, or there are several; the message lists what there is.
        """
        found = [link for link in self.links if matches(text, link)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(f"'{link.short}'" for link in self.links)
        reason = "names several links, add the port" if found else "is not a link of the stack"
        raise StackError(f"link {text!r} {reason}; there are: {known}")

    def links_to(self, server: str) -> tuple[Link, ...]:
        """The links on which ``server`` listens."""
        return tuple(link for link in self.links if link.server == server)


def load_stack(path: Path, variables: Mapping[str, str]) -> Stack:
    """Read a compose file.

    Args:
        path: the file.
        variables: what ``${NAME}`` stands for; secrets that are not among them are made up for this session.

    Raises:
        StackError: the file is missing or wrong; names file, line and key.
        UnsafeTarget: the stack would speak to a live account or port.
    """
    source = read_source(path, StackError)
    made_up = {name: secrets.token_urlsafe(_SECRET_BYTES) for name in _secret_names(source) if not variables.get(name)}
    source = interpolate(source, {**variables, **made_up})
    compose = validate(source, ComposeFile, StackError)
    services = {name: _service(source, name, service, compose) for name, service in compose.services.items()}
    refuse_live_targets(source, {name: service.environment for name, service in services.items()})
    hook = compose.harness.saboteur_hook
    return Stack(
        path=path.resolve(),
        services=services,
        links=_links(source, compose),
        adapters=compose.harness.adapters,
        scenarios=tuple(compose.harness.scenarios),
        secrets=tuple(value for name in _secret_names(source) if (value := made_up.get(name) or variables.get(name))),
        canaries=_canaries(source, compose),
        saboteur_hook=None if hook is None else (path.parent / hook).resolve(),
    )


def _secret_names(source: Source) -> list[str]:
    part = source.data.get("x-harness") if isinstance(source.data, dict) else None
    names = part.get("secrets") if isinstance(part, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _service(source: Source, name: str, service: ComposeService, compose: ComposeFile) -> Service:
    at = ("services", name)
    for needed in [*service.depends_on, *(service.part.template.made_by if service.part.template else [])]:
        if needed not in compose.services:
            raise StackError(f"{source.where((*at, 'depends_on', needed))}: is not a service of this file")
    return Service(
        name=name,
        environment=service.environment,
        depends_on={needed: how.condition != "service_started" for needed, how in service.depends_on.items()},
        part=service.part,
    )


def _links(source: Source, compose: ComposeFile) -> tuple[Link, ...]:
    links: list[Link] = []
    for index, text in enumerate(compose.harness.links):
        link = parse_link(text)
        for service in (link.client, link.server):
            if service not in compose.services:
                known = ", ".join(compose.services)
                where = source.where(("x-harness", "links", index))
                raise StackError(f"{where}: {service!r} is not a service; there are: {known}")
        if link in links:
            raise StackError(f"{source.where(('x-harness', 'links', index))}: {link} stands twice")
        links.append(link)
    return tuple(links)


def _canaries(source: Source, compose: ComposeFile) -> dict[tuple[str, int], str]:
    canaries: dict[tuple[str, int], str] = {}
    for place, protocol in compose.harness.canaries.items():
        service, _, port = place.rpartition(":")
        if service not in compose.services or not port.isdigit():
            where = source.where(("x-harness", "canaries", place))
            raise StackError(f"{where}: is not 'service:port' of a service of this file")
        canaries[service, int(port)] = protocol
    return canaries
