"""Containers that Compose started: taken as they are, and left as they are."""

from __future__ import annotations

from collections.abc import Callable

from docker.models.containers import Container

from harness.errors import HarnessError, SetUpError, StartFailed
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.follower import Follower
from harness.runtime.docker.link_container import ContainerServer
from harness.runtime.docker.reach import reaches
from harness.runtime.toxiproxy.control import Control
from harness.runtime.toxiproxy.link_log import LinkLog
from harness.stack.addressing import Address

_LOOPBACK = "127.0.0.1"
_CONTROL_PORT = 8474


class AttachedContainer:
    """A container as ``ServiceContainer`` and ``ContainerServer`` want it, which is there already.

    Args:
        container: the engine's container.
    """

    def __init__(self, container: Container) -> None:
        self._container = container

    def create(self) -> Container:
        """It was created by Compose."""
        return self._container

    def start(self) -> object:
        """Start it again."""
        self._container.start()
        return self

    def get_wrapped_container(self) -> Container:
        """The engine's container."""
        return self._container


class AttachedLink:
    """A link's Toxiproxy that Compose started; ``start`` of it is what ``LinkProxy`` asks for.

    Args:
        link: the link's name.
        engine: where it runs.
        container: its container, which makes its proxy by itself whenever it starts.
        listen_port: the server's port, on which its proxy listens in its container.
        on_start: is told where the harness reaches the proxy, which may be another place after each start.
        protocol: what is spoken over the link, as far as that is known.
    """

    def __init__(
        self,
        link: str,
        engine: Engine,
        container: Container,
        listen_port: int,
        on_start: Callable[[Address], object],
        protocol: str = "",
    ) -> None:
        self.link = link
        self._engine = engine
        self._container = container
        self._listen_port = listen_port
        self._on_start = on_start
        self._protocol = protocol

    async def start(self, log: LinkLog) -> ContainerServer:
        """Take the server that runs, or start it again, and have its proxy without toxics.

        Args:
            log: what its output goes to.

        Raises:
            StartFailed: it ended, does not answer in time, or has no proxy for the link.
            SetUpError: it publishes no port.
        """
        follower = Follower(self._container, log.attach())

        def work() -> None:
            self._container.reload()
            runs = self._container.status == "running"
            follower.attach(earlier=runs)
            if not runs:
                self._container.start()
                self._container.reload()

        try:
            await self._engine.call(f"start the Toxiproxy of {self.link}", work)
        except HarnessError:
            follower.give_up()
            raise
        control = Control(self.link, published(self._container, _CONTROL_PORT)[1], protocol=self._protocol)
        server = ContainerServer(self._engine, AttachedContainer(self._container), follower, control, log)
        try:
            await server.answers()
            await control.attach(self._listen_port)
        except HarnessError as error:
            raise StartFailed(f"Toxiproxy of {self.link}: {error}", evidence=server.tail()) from error
        self._on_start(await self._address())
        return server

    async def _address(self) -> Address:
        """Where the harness reaches the proxy: in its own network, or else where it is published."""
        for network in self._container.attrs["NetworkSettings"]["Networks"].values():
            if await reaches((network["IPAddress"], _CONTROL_PORT)):
                return network["IPAddress"], self._listen_port
        return published(self._container, self._listen_port)


def published(container: Container, port: int) -> Address:
    """Where the engine publishes a container's port, on this machine.

    Raises:
        SetUpError: it does not, or not on loopback alone.
    """
    ports = container.attrs["NetworkSettings"]["Ports"] or {}
    found = ports.get(f"{port}/tcp") or []
    if not found:
        raise SetUpError(f"container {container.name} publishes no port {port}: add it under ports, on 127.0.0.1")
    return _LOOPBACK, int(found[0]["HostPort"])
