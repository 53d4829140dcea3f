"""From the description to containers: each service and each link's Toxiproxy, in its networks, with its ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker.types import Mount

from harness.errors import StackError
from harness.runtime.docker.contained import Attachment, Contained, SessionClient
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.networks import Networks
from harness.runtime.docker.options import options_of
from harness.runtime.docker.plan import Member, NetworkPlan
from harness.runtime.docker.volumes import Volumes
from harness.runtime.session.labels import labels_of
from harness.runtime.session.session import Session
from harness.stack.container import Container, Limits
from harness.stack.link import Link
from harness.stack.stack import Service, Stack

CONTROL_PORT = 8474
_TOXIPROXY = Container(
    image="trading-toxiproxy",
    read_only=True,
    limits=Limits(memory_bytes=256 * 1024 * 1024, pids=200),
    cap_drop=("ALL",),
    security_opt=("no-new-privileges:true",),
)
_SABOTEURS = "/opt/harness/saboteurs"


def container_of(stack: Stack, service: Service) -> Container:
    """How a service runs as a container.

    Raises:
        StackError: the compose file does not say.
    """
    if service.container is None:
        raise StackError(
            f"{stack.path.name}: service {service.name} names neither an image nor how to build one, so it cannot run "
            "as a container; say which, or drill with --runtime local"
        )
    return service.container


def proxy_container_of(stack: Stack) -> Container:
    """What a link's Toxiproxy is as a container: as the compose file says, or else as the harness does."""
    return stack.proxy_container or _TOXIPROXY


@dataclass(frozen=True, slots=True)
class ContainerFactory:
    """Makes the containers of one session; all of a container's networks must have been made.

    Args:
        stack: what runs.
        session: whose they are.
        engine: where they run.
        client: the library's client.
        plan: who is in which network.
        networks: the networks.
        volumes: the volumes.
        saboteur: the defect to plant in the system, if any.
    """

    stack: Stack
    session: Session
    engine: Engine
    client: SessionClient
    plan: NetworkPlan
    networks: Networks
    volumes: Volumes
    saboteur: str | None

    async def service(self, service: Service, ports: Mapping[int, int]) -> Contained:
        """A service, not yet created.

        Args:
            service: the service.
            ports: its published ports, each with its port on 127.0.0.1.
        """
        container = container_of(self.stack, service)
        options = options_of(container, self.volumes.full_name)
        environment = dict(service.environment)
        hook = self.stack.saboteur_hook
        if self.saboteur is not None and hook is not None and self._takes_saboteurs(container):
            mount = Mount(_SABOTEURS, str(hook.parent), type="bind", read_only=True)
            options["mounts"] = [*options.get("mounts", []), mount]
            environment |= {"SABOTEUR": self.saboteur, "PYTHONPATH": await self._python_path(service, hook.name)}
        labels = {**container.labels, **self._labels(service=service.name)}
        return self._contained(service.name, service.name, container, environment, labels, ports, options)

    def proxy(self, link: Link, ports: Mapping[int, int]) -> Contained:
        """A link's Toxiproxy, not yet created; its ports as a service's."""
        container = proxy_container_of(self.stack)
        arguments = ("-host=0.0.0.0", f"-port={control_port_of(link)}")
        return self._contained(
            f"toxiproxy-{link.slug}",
            link,
            Container(
                image=container.image,
                entrypoint=container.entrypoint,
                command=arguments,
                user=container.user,
                read_only=container.read_only,
                limits=container.limits,
                cap_drop=container.cap_drop,
                security_opt=container.security_opt,
            ),
            {"LOG_LEVEL": "trace"},
            self._labels(link=str(link)),
            ports,
            None,
        )

    def _contained(
        self,
        name: str,
        member: Member,
        container: Container,
        environment: Mapping[str, str],
        labels: Mapping[str, str],
        ports: Mapping[int, int],
        options: Mapping[str, Any] | None,
    ) -> Contained:
        attachments = [
            Attachment(self.networks.made(lan), self.networks.address(lan, member), tuple(lan.members[member]))
            for lan in self.plan.of(member)
        ]
        options = dict(options_of(container, self.volumes.full_name) if options is None else options)
        options["extra_hosts"] = {**self._neighbours(member), **options.get("extra_hosts", {})}
        made = Contained(
            self.client,
            f"harness-{self.session.id}-{name}",
            container.image,
            labels=labels,
            attachments=attachments,
            ports=ports,
            options=options,
        )
        made.with_envs(**environment)
        if container.command is not None:
            made.with_command(list(container.command))
        for place, how in container.tmpfs.items():
            made.with_tmpfs_mount(place, how)
        return made

    def _neighbours(self, member: Member) -> dict[str, str]:
        """Every name in a member's networks, with its address, which never changes.

        Podman asks its own name server no more once it was given another, and may have none.
        """
        return {
            name: self.networks.address(lan, other)
            for lan in self.plan.of(member)
            for other, names in lan.members.items()
            for name in names
        }

    def _takes_saboteurs(self, container: Container) -> bool:
        """Whether the system's code is in an image: in that of the service in which its tasks run, where one is named.

        A saboteur whose target is not there refuses to be planted, and other images hold other code.
        """
        airflow = self.stack.adapters.airflow
        if airflow is None:
            return True
        tasks_run_in = self.stack.services[airflow.tasks_run_in].container
        return tasks_run_in is not None and container.image == tasks_run_in.image

    def _labels(self, *, service: str | None = None, link: str | None = None) -> dict[str, str]:
        return labels_of(self.session.id, directory=self.session.directory, service=service, link=link)

    async def _python_path(self, service: Service, hook: str) -> str:
        """The hook first, and then what was there before."""
        image = container_of(self.stack, service).image
        config = await self.engine.call(
            f"look at {image}", lambda: self.engine.client.images.get(image).attrs["Config"]
        )
        in_image = dict(entry.split("=", 1) for entry in config.get("Env") or [])
        before = service.environment.get("PYTHONPATH", in_image.get("PYTHONPATH", ""))
        return ":".join(filter(None, (f"{_SABOTEURS}/{hook}", before)))


def control_port_of(link: Link) -> int:
    """The port of a Toxiproxy's control API in its container: never the one that it listens on for its link."""
    return CONTROL_PORT if link.port != CONTROL_PORT else CONTROL_PORT + 1
