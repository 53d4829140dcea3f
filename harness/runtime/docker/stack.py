"""The stack as containers: every service a container, every link a Toxiproxy between two networks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from testcontainers.core.docker_client import DockerClient

from harness.errors import StackError
from harness.runtime.docker.container_factory import ContainerFactory, proxy_container_of, require_container
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.forgetting import forget
from harness.runtime.docker.networks import Networks
from harness.runtime.docker.plan import plan_networks
from harness.runtime.docker.published import published_ports
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.docker.start_up import StartUp
from harness.runtime.docker.volumes import Volumes
from harness.runtime.logs import LogDirectory
from harness.runtime.notices import Notices
from harness.runtime.running import RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.session.undo_log import UndoLog
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.addressing import Address, rewrite_addresses
from harness.stack.link import Link
from harness.stack.stack import Stack

_LOOPBACK = "127.0.0.1"


class ContainerStack:
    """A stack that runs as containers of one session; the session's end removes them.

    Args:
        stack: what runs.
        session: owns every container, network, volume and file.
        engine: where it runs.
        saboteur: the defect to plant in the system, if any.
    """

    def __init__(self, stack: Stack, session: Session, *, engine: Engine, saboteur: str | None = None) -> None:
        self.stack = stack
        self.session_id = session.id
        self.directory = session.directory
        self.runtime = RuntimeName.DOCKER
        self.not_idle: set[str] = set()
        self.project: str | None = None
        self.logs = LogDirectory(session.directory / "logs")
        self.notices = Notices(stack)
        self.undo_log: UndoLog | None = None
        self._session = session
        self._engine = engine
        self._ports = {key: session.ports.take() for key in published_ports(stack)}
        factory = ContainerFactory(
            stack=stack,
            session=session,
            engine=engine,
            client=DockerClient(version=engine.client.api.api_version),
            plan=plan_networks(stack, frozenset(service for service, _ in self._ports)),
            networks=Networks(engine, session),
            volumes=Volumes(engine, session, stack.volumes),
            saboteur=saboteur,
        )
        self._parts = StartUp(
            factory,
            session,
            logs=self.logs,
            ports=self._ports,
            rewrite_addresses=self.rewrite_addresses,
            on_end=self._ended,
            on_restarted=self.notices.restarted,
            on_replaced=self.notices.replaced,
        )
        self._lost = asyncio.Event()

    @property
    def ready_s(self) -> Mapping[str, float]:
        """How long each service took to become ready, in seconds."""
        return self._parts.ready_s

    async def start(self) -> None:
        """Start everything, in parallel as dependencies allow, and wait until it is ready.

        Raises:
            StackError: a drill would write on this machine, and the file does not ask for that.
            SetUpError: an image is missing.
            StartFailed: a service ended before it was ready, or a port was taken.
            DeadlineExceeded: a service was not ready in time.
        """
        if self.stack.unsafe_mounts:
            raise StackError(self.stack.unsafe_mounts[0])
        images = {require_container(self.stack, service).image for service in self.stack.services.values()}
        await self._engine.require_images(images | {proxy_container_of(self.stack).image})
        self._session.reaper.use_engine(self._engine.address)
        self.logs.make()
        try:
            await self._parts.run()
        except BaseExceptionGroup as causes:
            # The first failure is the reason; the others are what it dragged along.
            raise causes.exceptions[0] from None

    def address(self, service: str, port: int) -> Address:
        """Where a service's port is published, around every proxy.

        Raises:
            StackError: the compose file does not say that the service listens there.
        """
        try:
            return _LOOPBACK, self._ports[service, port]
        except KeyError:
            raise StackError(f"nothing in {self.stack.path.name} says that {service} listens on port {port}") from None

    def link_address(self, link: Link) -> Address:
        """Where the harness reaches the proxy of a link; its client reaches it by the server's name."""
        return self._parts.proxies[link].address

    def rewrite_addresses(self, text: str) -> str:
        """A text of the compose file with published addresses in it."""
        return rewrite_addresses(text, frozenset(self.stack.names), self._direct)

    def proxy(self, link: Link) -> LinkProxy:
        """The proxy of a link."""
        return self._parts.proxies[link]

    def service(self, name: str) -> ServiceContainer:
        """A service, to take it down and bring it back."""
        return self._parts.services[name]

    async def lost(self) -> str:
        """Wait until the engine is gone; why nothing can be done any more."""
        await self._lost.wait()
        return (
            f"the Docker engine at {self._engine.address} went away: see its log, start it again, and `harness clean`"
        )

    async def restart(self, service: str) -> None:
        """Kill a service, and start it again.

        Raises:
            StartFailed: it ended before it was ready.
            DeadlineExceeded: it was not ready in time.
        """
        running = self._parts.services[service]
        await running.kill()
        await running.start()

    def disk_usage(self) -> Mapping[str, int]:
        """None: volumes lie where the engine runs, and it counts them too slowly."""
        return {}

    async def forget_state(self) -> None:
        """Empty the directories in volumes that services declare as state of a run."""
        await forget(self._engine, self.stack, self._parts.services)

    async def close(self) -> None:
        """Watch nothing any more; the session removes it."""
        for service in self._parts.services.values():
            service.release()
        await asyncio.gather(*(proxy.release() for proxy in self._parts.proxies.values()))

    def _direct(self, service: str, port: int) -> Address | None:
        here = self._ports.get((self.stack.names[service], port))
        return None if here is None else (_LOOPBACK, here)

    def _ended(self, service: ServiceContainer, returncode: int | None) -> None:
        if returncode is None:
            self._lost.set()
        else:
            self.notices.ended(service, returncode)
