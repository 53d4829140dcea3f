"""A stack that Docker Compose brought up: taken over for drills, and left running."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from docker.models.containers import Container

from harness.errors import SetUpError, StackError
from harness.runtime.docker.attached import AttachedContainer, AttachedLink, published
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.forgetting import forget
from harness.runtime.docker.health import wait_until_up
from harness.runtime.docker.published import published_ports
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.logs import LogDirectory
from harness.runtime.notices import Notices
from harness.runtime.running import RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.session.undo_log import UndoLog, UndoStep
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.addressing import Address, rewrite_addresses
from harness.stack.link import Link
from harness.stack.stack import Stack

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"


class AttachedStack:
    """A running Compose project; nothing of it is removed at the end.

    Args:
        stack: what the project's file describes.
        session: owns the files of the drill, and what faults add.
        engine: where the project runs.
        project: its name in Compose.
    """

    def __init__(self, stack: Stack, session: Session, *, engine: Engine, project: str) -> None:
        self.stack = stack
        self.runtime = RuntimeName.DOCKER
        self.not_idle: set[str] = set()
        self.logs = LogDirectory(session.directory / "logs")
        self.notices = Notices(stack)
        self.undo_log: UndoLog | None = UndoLog(session.directory)
        self.session_id = session.id
        self.directory = session.directory
        self.ready_s: dict[str, float] = {}
        self._session = session
        self._engine = engine
        self.project: str | None = project
        self._addresses: dict[tuple[str, int], Address] = {}
        self._services: dict[str, ServiceContainer] = {}
        self._proxies: dict[Link, LinkProxy] = {}
        self._toxiproxies: dict[Link, Container] = {}
        self._lost = asyncio.Event()

    async def start(self) -> None:
        """Find every container of the project, follow it, and wait until all of it is ready.

        Raises:
            SetUpError: a container is missing or does not run, or a port is not published.
            StartFailed: a service ended, or a Toxiproxy has no proxy for its link.
            DeadlineExceeded: a service was not ready in time.
        """
        self.logs.make()
        self._session.reaper.use_engine(self._engine.address)
        containers = await self._containers()
        makers = {
            maker for each in self.stack.services.values() if each.part.template for maker in each.part.template.made_by
        }
        for name in self.stack.services:
            if name not in makers and not self._is_done(name, containers):
                self._services[name] = self._attach(name, containers)
        for link in self.stack.links:
            self._proxies[link] = self._attach_proxy(link, containers)
        try:
            async with asyncio.TaskGroup() as group:
                for proxy in self._proxies.values():
                    group.create_task(proxy.start())
                for service in self._services.values():
                    group.create_task(self._follow(service))
        except BaseExceptionGroup as causes:
            # The first failure is the reason; the others are what it dragged along.
            raise causes.exceptions[0] from None

    def address(self, service: str, port: int) -> Address:
        """Where a service's port is published, around every proxy.

        Raises:
            StackError: the compose file does not say that the service listens there.
        """
        try:
            return self._addresses[service, port]
        except KeyError:
            raise StackError(f"nothing in {self.stack.path.name} says that {service} listens on port {port}") from None

    def link_address(self, link: Link) -> Address:
        """Where the harness reaches the proxy of a link; its client reaches it by the server's name."""
        return self._proxies[link].address

    def rewrite_addresses(self, text: str) -> str:
        """A text of the compose file with published addresses in it."""
        names = self.stack.names
        return rewrite_addresses(text, frozenset(names), lambda name, port: self._addresses.get((names[name], port)))

    def proxy(self, link: Link) -> LinkProxy:
        """The proxy of a link."""
        return self._proxies[link]

    def service(self, name: str) -> ServiceContainer:
        """A service, to take it down and bring it back."""
        return self._services[name]

    async def lost(self) -> str:
        """Wait until the engine is gone; why nothing can be done any more."""
        await self._lost.wait()
        return f"the Docker engine at {self._engine.address} went away: see its log, and start it again"

    async def restart(self, service: str) -> None:
        """Kill a service, and start it again."""
        await self._services[service].kill()
        await self._services[service].start()

    def disk_usage(self) -> Mapping[str, int]:
        """None: volumes lie where the engine runs, and it counts them too slowly."""
        return {}

    async def forget_state(self) -> None:
        """Empty the directories in volumes that services declare as state of a run."""
        await forget(self._engine, self.stack, self._services)

    async def close(self) -> None:
        """Leave the project as it was found: every link without faults, every service running."""
        for service in self._services.values():
            service.release()
        await asyncio.gather(*(proxy.heal() for proxy in self._proxies.values()), return_exceptions=True)
        await asyncio.gather(*(proxy.release() for proxy in self._proxies.values()))

    async def _containers(self) -> Mapping[str, Container]:
        labels: dict[str, str | list[str] | bool] = {"label": f"{_PROJECT}={self.project}"}
        found: list[Container] = await self._engine.call(
            f"look for the containers of {self.project}",
            lambda: self._engine.client.containers.list(all=True, filters=labels),
        )
        if not found:
            raise SetUpError(
                f"the engine has no container of a Compose project {self.project!r}: bring it up first "
                f"(docker compose -p {self.project} -f {self.stack.path.name} up -d)"
            )
        return {str(container.labels[_SERVICE]): container for container in found}

    def _is_done(self, service: str, containers: Mapping[str, Container]) -> bool:
        """Whether it is a job that ended well, as Compose left it."""
        container = containers.get(service)
        if container is None or service not in self.stack.jobs | self.stack.likely_jobs:
            return False
        return container.status == "exited" and container.attrs["State"]["ExitCode"] == 0

    def _running(self, service: str, containers: Mapping[str, Container]) -> Container:
        container = containers.get(service)
        if container is None or container.status != "running":
            state = "has no container" if container is None else f"is {container.status}"
            raise SetUpError(
                f"service {service} of the Compose project {self.project!r} {state}: bring the whole stack up first"
            )
        return container

    def _attach(self, name: str, containers: Mapping[str, Container]) -> ServiceContainer:
        described = self.stack.services[name].container
        attached = ServiceContainer(
            name,
            self._engine,
            AttachedContainer(self._running(name, containers)),
            self.logs.of_service(name),
            stop_grace_s=described.stop_grace_s if described is not None else 10.0,
            until_ready=self._until_ready,
            on_end=self._ended,
            policy=self.stack.services[name].restart,
            on_restarted=self.notices.restarted,
            engine_restarts=True,
        )
        self._note_addresses(attached)
        return attached

    def _attach_proxy(self, link: Link, containers: Mapping[str, Container]) -> LinkProxy:
        name = self.stack.proxies.get(link)
        if name is None:
            raise StackError(
                f"{self.stack.path.name}: no service says x-harness.proxy_of '{link}', so a stack that Compose brought "
                "up has no Toxiproxy there; add one, or drill with --runtime docker"
            )
        container = self._toxiproxies[link] = self._running(name, containers)

        def note(address: Address) -> None:
            self._proxies[link].address = address

        protocol = self.stack.link_probes.get((link.server, link.port), "")
        place = AttachedLink(str(link), self._engine, container, link.port, note, protocol)
        return LinkProxy(
            str(link),
            published(container, link.port),
            place.start,
            log=self.logs.of_link(link),
            caller=self._caller(link, container),
            on_replaced=self.notices.replaced,
            # A new start of it forgets every toxic, and ends one that hangs.
            undo_steps=(UndoStep(f"/containers/{container.id}/restart?t=0"),),
        )

    def _caller(self, link: Link, proxy: Container) -> str:
        """The client's address in the network that it shares with the link's Toxiproxy."""
        networks = self._services[link.client].container().attrs["NetworkSettings"]["Networks"]
        shared = [name for name in proxy.attrs["NetworkSettings"]["Networks"] if name in networks]
        if not shared:
            raise SetUpError(f"{link.client} and {proxy.name} share no network: nothing goes over the link {link}")
        return str(networks[shared[0]]["IPAddress"])

    def _note_addresses(self, service: ServiceContainer) -> None:
        for name, port in published_ports(self.stack):
            if name == service.name:
                self._addresses[name, port] = published(service.container(), port)

    async def _follow(self, service: ServiceContainer) -> None:
        await service.attach()
        self.ready_s[service.name] = await self._until_ready(service)

    async def _until_ready(self, service: ServiceContainer) -> float:
        # An engine gives a container that starts again other ports, and may give it other addresses.
        await self._engine.call(f"look at {service.name}", service.container().reload)
        self._note_addresses(service)
        for link, proxy in self._proxies.items():
            if link.client == service.name:
                proxy.caller = self._caller(link, await self._proxy_container(link))
        return await wait_until_up(self._engine, service, self.stack.services[service.name], self.rewrite_addresses)

    async def _proxy_container(self, link: Link) -> Container:
        container = self._toxiproxies[link]
        await self._engine.call(f"look at the Toxiproxy of {link}", container.reload)
        return container

    def _ended(self, service: ServiceContainer, returncode: int | None) -> None:
        if returncode is None:
            self._lost.set()
        else:
            self.notices.ended(service, returncode)
