"""A container by Testcontainers: created early, started when its turn has come, and labelled as our session's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from docker import version as sdk_version
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import EndpointConfig, LogConfig
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import create_labels

from harness.runtime.session.labels import SESSION

# Our reaper needs no image, and outlives the harness in a process of its own.
testcontainers_config.ryuk_disabled = True
testcontainers_config.connection_mode_override = ConnectionMode.docker_host
testcontainers_config.tc_host_override = "127.0.0.1"
testcontainers_config.sleep_time = 0.05

# What the engine keeps of the output, beside our own files: enough for `docker logs`, and no more.
_LOGS = LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "1"})
# The engine's own checks only cost time: the harness asks by itself, and oftener.
_NO_HEALTH_CHECK = {"test": ["NONE"]}
# Nothing leaves the machine, so no name from outside is of use. Here nobody listens: who asks for one hears so at once,
# where the engine would wait four seconds for an answer, and as long again before it lets go of the container.
_NO_NAMES_FROM_OUTSIDE = ["127.0.0.1"]
# Docker 20.10 hears so and says nothing, and whoever asked waits for its own patience: once for as short as there is.
_PATIENCE = ["timeout:1", "attempts:1"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A container's place in a network.

    Args:
        network: the network.
        address: its address there; the same at each start.
        aliases: the names under which the others find it there.
    """

    network: Network
    address: str
    aliases: tuple[str, ...]

    @property
    def mac_address(self) -> str:
        """Made from its address: with a new one at each start, its peers would go on sending to the old one."""
        return ":".join(f"{byte:02x}" for byte in (0x02, 0x42, *ipaddress.IPv4Address(self.address).packed))


class Startable(Protocol):
    """A container that can be started again and again."""

    def create(self) -> Container:
        """Have it made."""

    def start(self) -> object:
        """Start it, the first time or again."""

    def get_wrapped_container(self) -> Container:
        """The engine's container."""


class SessionClient(DockerClient):
    """The library's client, whose containers bear our session's label in the place of the library's own."""

    def create(self, image: str, *arguments: Any, labels: dict[str, str] | None = None, **options: Any) -> Container:
        """Create a container from an image that is there."""
        ours = dict(labels or {})
        session = ours.pop(SESSION)
        return self.client.containers.create(
            image, *arguments, labels={**create_labels(image, ours), SESSION: session}, **options
        )


class Contained(DockerContainer):
    """A container that is created and started in two steps.

    Args:
        client: the library's client.
        name: its name in the engine.
        image: its image, which is there.
        labels: its labels, the session's among them.
        attachments: its networks; its ports are published in the first one.
        ports: port -> port on 127.0.0.1.
        options: what else the engine is told, in the SDK's terms.
    """

    def __init__(
        self,
        client: SessionClient,
        name: str,
        image: str,
        *,
        labels: Mapping[str, str],
        attachments: list[Attachment],
        ports: Mapping[int, int],
        options: Mapping[str, Any],
    ) -> None:
        # The version is known already: to ask for it would stop the event loop.
        super().__init__(image, name=name, docker_client_kw={"version": client.client.api.api_version})
        self._docker.client.close()
        self._docker = client
        self._attachments = attachments
        # An address besides the port is more than the library's types know, and what its client passes on.
        self._published = {f"{port}/tcp": ("127.0.0.1", here) for port, here in ports.items()}
        self.with_kwargs(
            labels=dict(labels),
            log_config=_LOGS,
            healthcheck=_NO_HEALTH_CHECK,
            dns=_NO_NAMES_FROM_OUTSIDE,
            dns_opt=_PATIENCE,
            **options,
        )

    def create(self) -> Container:
        """Create it, in all its networks, and leave it there."""
        first = self._attachments[0] if self._attachments else None
        self._container = self._docker.create(
            self.image,
            command=self._command,
            environment=self.env,
            ports=self._published,
            name=self._name,
            tmpfs=self.tmpfs,
            **(_endpoint(first) if first is not None else {"network_mode": "none"}),
            **self._kwargs,
        )
        for other in self._attachments[1:]:
            other.network.connect(
                self._container,
                ipv4_address=other.address,
                aliases=list(other.aliases),
                mac_address=other.mac_address,
            )
        return self._container

    def start(self) -> Contained:
        """Start it, the first time or again."""
        self._docker.start(self.get_wrapped_container())
        return self


def _endpoint(first: Attachment) -> dict[str, Any]:
    name = str(first.network.name)
    config = EndpointConfig(
        sdk_version.__version__,
        ipv4_address=first.address,
        aliases=list(first.aliases),
        mac_address=first.mac_address,
    )
    return {"network": name, "networking_config": {name: config}}
