"""From the description to containers: each service and each link's Toxiproxy, in its networks, with its ports."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from testcontainers.core.docker_client import DockerClient

from harness.errors import StackError
from harness.runtime.docker.contained import Attachment, Contained
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.networks import Networks
from harness.runtime.docker.plan import Member, NetworkPlan
from harness.runtime.docker.volumes import Volumes
from harness.runtime.session.labels import labels_of
from harness.runtime.session.session import Session
from harness.stack.container import BindMount, Container, Limits, Mount
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


def require_container(stack: Stack, service: Service) -> Container:
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
    client: DockerClient
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
        container = require_container(self.stack, service)
        environment = dict(service.environment)
        mounts = [self._in_engine(mount) for mount in container.mounts]
        hook = self.stack.saboteur_hook
        if self.saboteur is not None and hook is not None and self._takes_saboteurs(container):
            mounts.append(BindMount(hook.parent, _SABOTEURS, read_only=True))
            environment |= {"SABOTEUR": self.saboteur, "PYTHONPATH": await self._python_path(service, hook.name)}
        labels = {**container.labels, **self._labels(service=service.name)}
        described = replace(container, mounts=tuple(mounts), labels=labels)
        return self._contained(service.name, service.name, described, environment, ports)

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
                labels=self._labels(link=str(link)),
            ),
            {"LOG_LEVEL": "trace"},
            ports,
        )

    def _contained(
        self,
        name: str,
        member: Member,
        container: Container,
        environment: Mapping[str, str],
        ports: Mapping[int, int],
    ) -> Contained:
        attachments = [
            Attachment(self.networks.made(lan), self.networks.address(lan, member), tuple(lan.members[member]))
            for lan in self.plan.of(member)
        ]
        return Contained(
            self.client,
            f"harness-{self.session.id}-{name}",
            replace(container, extra_hosts={**self._neighbours(member), **container.extra_hosts}),
            environment=environment,
            attachments=attachments,
            ports=ports,
        )

    def _in_engine(self, mount: Mount) -> Mount:
        """A mount whose volume goes by its name in the engine.

        An anonymous volume gets a name, too: the engine would not label it, and it could not be told whose it is.
        """
        if isinstance(mount, BindMount):
            return mount
        return replace(mount, volume=self.volumes.full_name(mount.volume or f"anonymous-{uuid.uuid4().hex[:8]}"))

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
        image = require_container(self.stack, service).image
        config = await self.engine.call(
            f"look at {image}", lambda: self.engine.client.images.get(image).attrs["Config"]
        )
        in_image = dict(entry.split("=", 1) for entry in config.get("Env") or [])
        before = service.environment.get("PYTHONPATH", in_image.get("PYTHONPATH", ""))
        return ":".join(filter(None, (f"{_SABOTEURS}/{hook}", before)))


def control_port_of(link: Link) -> int:
    """The port of a Toxiproxy's control API in its container: never the one that it listens on for its link."""
    return CONTROL_PORT if link.port != CONTROL_PORT else CONTROL_PORT + 1
