"""A container by Testcontainers: created early, started when its turn has come, and labelled as our session's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from docker import version as sdk_version
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import EndpointConfig, LogConfig, Mount
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import create_labels

from harness.runtime.session.labels import SESSION
from harness.stack.container import BindMount, VolumeMount
from harness.stack.container import Container as Described

_LOOPBACK = "127.0.0.1"
# Our reaper needs no image, and outlives the harness in a process of its own.
testcontainers_config.ryuk_disabled = True
testcontainers_config.connection_mode_override = ConnectionMode.docker_host
testcontainers_config.tc_host_override = _LOOPBACK
testcontainers_config.sleep_time = 0.05

# What the engine keeps of the output, beside our own files: enough for `docker logs`, and no more.
_LOGS = LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "1"})
# The engine's own checks only cost time: the harness asks by itself, and oftener.
_NO_HEALTH_CHECK = {"test": ["NONE"]}
# Nothing leaves the machine, so no name from outside is of use. Nothing listens here: a client that asks for one hears
# so at once, where the engine would wait four seconds for an answer, and as long again until the container is released.
_NO_NAMES_FROM_OUTSIDE = ["127.0.0.1"]
# Docker 20.10 hears so and says nothing, and the asker waits out its own patience: once, for as short as there is.
_PATIENCE = ["timeout:1", "attempts:1"]
_NANO = 1_000_000_000


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

    @property
    def endpoint(self) -> EndpointConfig:
        """The place in the SDK's terms."""
        return EndpointConfig(
            sdk_version.__version__,
            ipv4_address=self.address,
            aliases=list(self.aliases),
            mac_address=self.mac_address,
        )


class Startable(Protocol):
    """A container that can be started again and again."""

    def create(self) -> Container:
        """Have it made."""

    def start(self) -> object:
        """Start it, the first time or again."""

    def get_wrapped_container(self) -> Container:
        """The engine's container."""


class Contained(DockerContainer):
    """A container that is created and started in two steps.

    Args:
        client: the library's client.
        name: its name in the engine.
        described: all else that it is; its volumes by their names in the engine, the session's label among its labels.
        environment: its environment.
        attachments: its networks; its ports are published in the first one.
        ports: port -> port on 127.0.0.1.
    """

    def __init__(
        self,
        client: DockerClient,
        name: str,
        described: Described,
        *,
        environment: Mapping[str, str],
        attachments: Sequence[Attachment],
        ports: Mapping[int, int],
    ) -> None:
        # The version is known already: to ask for it would stop the event loop.
        super().__init__(described.image, name=name, docker_client_kw={"version": client.client.api.api_version})
        self._docker.client.close()
        self._docker = client
        self._described = described
        self._attachments = attachments
        self._published = {f"{port}/tcp": (_LOOPBACK, here) for port, here in ports.items()}
        self.with_envs(**environment)

    def create(self) -> Container:
        """Create it, in all its networks, and leave it there.

        The SDK is asked here and not by the library, which would label it as a session of its own.
        """
        told, limits = self._described, self._described.limits
        first = self._attachments[0] if self._attachments else None
        network = None if first is None else str(first.network.name)
        self._container = self._docker.client.containers.create(
            told.image,
            command=None if told.command is None else list(told.command),
            entrypoint=list(told.entrypoint or ()) or None,
            name=self._name,
            labels=_with_library_labels(told),
            environment=self.env,
            user=told.user,
            working_dir=told.working_dir,
            hostname=told.hostname,
            init=told.init or None,
            read_only=told.read_only or None,
            mounts=[_mount(mount) for mount in told.mounts] or None,
            tmpfs=dict(told.tmpfs),
            nano_cpus=None if limits.cpus is None else int(limits.cpus * _NANO),
            mem_limit=limits.memory_bytes,
            # No swap besides: a limit that only slows down is no limit.
            memswap_limit=limits.memory_bytes,
            pids_limit=limits.pids,
            shm_size=limits.shm_bytes,
            cap_drop=list(told.cap_drop),
            cap_add=list(told.cap_add),
            security_opt=list(told.security_opt) or None,
            sysctls=dict(told.sysctls),
            stop_signal=told.stop_signal,
            log_config=_LOGS,
            healthcheck=_NO_HEALTH_CHECK,
            dns=_NO_NAMES_FROM_OUTSIDE,
            dns_opt=_PATIENCE,
            extra_hosts=dict(told.extra_hosts),
            ports=self._published,
            network=network,
            networking_config=None if first is None or network is None else {network: first.endpoint},
            network_mode="none" if first is None else None,
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


def _with_library_labels(described: Described) -> dict[str, str]:
    """Its labels with the library's beside them, but for the session's, which is ours."""
    labels = dict(described.labels)
    session = labels.pop(SESSION)
    return {**create_labels(described.image, labels), SESSION: session}


def _mount(mount: VolumeMount | BindMount) -> Mount:
    if isinstance(mount, BindMount):
        return Mount(mount.target, str(mount.source), type="bind", read_only=mount.read_only)
    return Mount(mount.target, mount.volume or "", type="volume", read_only=mount.read_only)
