"""A stack: the services that a drill needs, the links between them, and what the harness may ask them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import StackError
from harness.stack.adapters import Adapters
from harness.stack.compose import ComposeFile, ComposeService, DoneProbe, ServicePart
from harness.stack.container import Container, Volume
from harness.stack.container_keys import container_of, volumes_of
from harness.stack.extends import extend
from harness.stack.host_paths import refusals_of
from harness.stack.interpolation import interpolate
from harness.stack.link import Link, matches, parse_link
from harness.stack.named import refuse_unknown_names
from harness.stack.overlay import read_stack_source
from harness.stack.restart_policy import NO_RESTART, RestartOn, RestartPolicy, restart_policy_of
from harness.stack.safety import refuse_live_targets
from harness.stack.source import Source, read_source, validate
from harness.stack.unsupported import refuse_unsupported
from harness.stack.variables import dot_env, environment_of, own_variables, secret_names

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
        restart: what follows when it ends by itself.
        container_name: another name under which the others find it.
    """

    name: str
    environment: Mapping[str, str]
    depends_on: Mapping[str, bool]
    part: ServicePart
    container: Container | None = None
    restart: RestartPolicy = NO_RESTART
    container_name: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs for a drill, as one compose file describes it.

    Args:
        path: the compose file.
        services: by name, in the order of the file.
        links: every connection between two services that goes through a proxy.
        adapters: where and how the harness asks what happened.
        scenarios: those that run when none is named.
        secrets: values that must not stand in a log or report, by the names of their variables.
        link_probes: for a server and its port, the protocol in which the harness may greet it.
        saboteur_hook: the directory whose ``sitecustomize`` plants a saboteur, if the stack has one.
        volumes: the named volumes that services share, and how the engine makes them.
        proxies: for each link, the service of the file that is its Toxiproxy where Compose itself runs the file.
        proxy_container: what the file says that a Toxiproxy is as a container, if it says so.
        unsafe_mounts: those of this machine that no drill in containers takes without being told to: a line for each.
    """

    path: Path
    services: Mapping[str, Service]
    links: tuple[Link, ...]
    adapters: Adapters
    scenarios: tuple[str, ...]
    secrets: Mapping[str, str]
    link_probes: Mapping[tuple[str, int], str]
    saboteur_hook: Path | None
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    proxies: Mapping[Link, str] = field(default_factory=dict)
    proxy_container: Container | None = None
    unsafe_mounts: tuple[str, ...] = ()

    @property
    def project(self) -> Path:
        """The directory of the compose file."""
        return self.path.parent

    @property
    def names(self) -> Mapping[str, str]:
        """Every name under which a service is found in the stack's networks, with the service's own."""
        others = {each.container_name: name for name, each in self.services.items() if each.container_name is not None}
        return others | {name: name for name in self.services}

    def names_of(self, service: str) -> list[str]:
        """The names under which a service is found, its own first."""
        return [service, *(name for name, owner in self.names.items() if owner == service and name != service)]

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

    @property
    def jobs(self) -> frozenset[str]:
        """The services whose file says that they are done at some time (``ready: {done: true}``)."""
        return frozenset(name for name, each in self.services.items() if isinstance(each.part.ready, DoneProbe))

    @property
    def likely_jobs(self) -> frozenset[str]:
        """The services that may be done at some time, though the file does not say so.

        Another depends on its having been started, no link leads to it, and no policy has it started again when it ends
        well: a bucket is made, a topic, a schema.
        """
        started = {name for each in self.services.values() for name, ready in each.depends_on.items() if not ready}
        return frozenset(
            name
            for name in started - {link.server for link in self.links} - self.jobs
            if self.services[name].restart.on is not RestartOn.ALWAYS
        )

    def links_to(self, server: str) -> tuple[Link, ...]:
        """The links on which ``server`` listens."""
        return tuple(link for link in self.links if link.server == server)


def load_stack(path: Path, variables: Mapping[str, str], *, relaxed: bool = False, runs_already: bool = False) -> Stack:
    """Read a compose file.

    Args:
        path: the file.
        variables: what ``${NAME}`` stands for, before what ``.env`` beside the file and the file's own ``x-harness``
            say; secrets that are not among them are made up for this session.
        relaxed: whether the settings of ``x-harness.relaxed`` hold, which give up durability for speed.
        runs_already: whether another program has started it, with the file's own defaults for what is not set: then no
            secret is made up.

    Raises:
        StackError: the file is missing or wrong; names file, line and key.
        UnsafeTarget: the stack would speak to a live account or port.
    """
    source = read_stack_source(path)
    given = {**own_variables(source, relaxed=relaxed), **dot_env(path.parent), **variables}
    names = secret_names(source)
    if not runs_already:
        given |= {name: secrets.token_urlsafe(_SECRET_BYTES) for name in names if not given.get(name)}
    source = extend(interpolate(source, given), lambda other: interpolate(read_source(other, StackError), given))
    refuse_unsupported(source)
    compose = validate(source, ComposeFile, StackError)
    proxies = {name: service for name, service in compose.services.items() if service.part.proxy_of is not None}
    wanted = {name: each for name, each in compose.services.items() if name not in proxies and not each.profiles}
    services = {name: _service(source, compose, name, wanted, given) for name in wanted}
    refuse_live_targets(source, {name: service.environment for name, service in services.items()})
    hook = compose.harness.saboteur_hook
    links = _links(source, compose, services)
    refuse_unknown_names(source, compose.harness.adapters, tuple(services), links)
    return Stack(
        path=path.resolve(),
        services=services,
        links=links,
        adapters=compose.harness.adapters,
        scenarios=tuple(compose.harness.scenarios),
        secrets={name: value for name in names if (value := given.get(name))},
        link_probes=_link_probes(source, compose),
        saboteur_hook=None if hook is None else (path.parent / hook).resolve(),
        volumes=volumes_of(compose),
        proxies=_proxies(source, proxies, links),
        proxy_container=next((container_of(source, name, each, {}) for name, each in proxies.items()), None),
        unsafe_mounts=refusals_of(source, compose.model_copy(update={"services": wanted})),
    )


def _service(
    source: Source, compose: ComposeFile, name: str, wanted: Mapping[str, ComposeService], given: Mapping[str, str]
) -> Service:
    service = wanted[name]
    at = ("services", name)
    for needed in [*service.depends_on, *(service.part.template.made_by if service.part.template else [])]:
        if needed not in wanted:
            raise StackError(f"{source.where((*at, 'depends_on', needed))}: is not a service of this file")
    return Service(
        name=name,
        environment=environment_of(source, name, service, given),
        depends_on={needed: how.condition != "service_started" for needed, how in service.depends_on.items()},
        part=service.part,
        container_name=service.container_name,
        container=container_of(source, name, service, compose.harness.host_paths),
        restart=restart_policy_of(
            service.restart, service.deploy.restart_policy, one_shot=isinstance(service.part.ready, DoneProbe)
        ),
    )


def _links(source: Source, compose: ComposeFile, services: Mapping[str, Service]) -> tuple[Link, ...]:
    links: list[Link] = []
    for index, text in enumerate(compose.harness.links):
        link = parse_link(text)
        for service in (link.client, link.server):
            if service not in services:
                known = ", ".join(services)
                where = source.where(("x-harness", "links", index))
                raise StackError(f"{where}: {service!r} is not a service; there are: {known}")
        if link in links:
            raise StackError(f"{source.where(('x-harness', 'links', index))}: {link} stands twice")
        links.append(link)
    return tuple(links)


def _proxies(source: Source, proxies: Mapping[str, ComposeService], links: tuple[Link, ...]) -> dict[Link, str]:
    found: dict[Link, str] = {}
    for name, service in proxies.items():
        link = parse_link(service.part.proxy_of or "")
        if link not in links or link in found:
            reason = "has two proxies" if link in found else "is not among x-harness.links"
            raise StackError(f"{source.where(('services', name, 'x-harness', 'proxy_of'))}: {link} {reason}")
        found[link] = name
    return found


def _link_probes(source: Source, compose: ComposeFile) -> dict[tuple[str, int], str]:
    link_probes: dict[tuple[str, int], str] = {}
    for place, protocol in compose.harness.link_probes.items():
        service, _, port = place.rpartition(":")
        if service not in compose.services or not port.isdigit():
            where = source.where(("x-harness", "link_probes", place))
            raise StackError(f"{where}: is not 'service:port' of a service of this file")
        link_probes[service, int(port)] = protocol
    return link_probes
