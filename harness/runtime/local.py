"""The stack as local processes: every service a process, every link a proxy on a port of its own."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from harness.errors import StackError
from harness.history.events import ProxyReplaced, ServiceEnded
from harness.runtime.local_service import LocalService
from harness.runtime.process import ServiceProcess
from harness.runtime.readiness import wait_until_ready
from harness.runtime.running import Listener, RuntimeName
from harness.runtime.service import RunningService
from harness.runtime.session import Session
from harness.runtime.template import Template, template_of
from harness.runtime.toxiproxy.link_proxy import LinkProxy, LinkReplaced, ReplacedBecause
from harness.runtime.toxiproxy.local_server import LocalPlace
from harness.stack.addressing import Address, Places, fill, placeholder_ports, readdress, readdress_environment
from harness.stack.link import Link
from harness.stack.stack import Service, Stack

_LOOPBACK = "127.0.0.1"
_STOP_GRACE_S = 4.0
_SHOWN_LINES = 15
_SEARCHABLE = 0o711


class LocalStack:
    """A stack that runs as processes of one session.

    Args:
        stack: what runs.
        session: owns every process and file.
        toxiproxy: the Toxiproxy server's binary.
        cache: where templates are kept.
        saboteur: the defect to plant in the system, if any.
    """

    def __init__(
        self, stack: Stack, session: Session, *, toxiproxy: Path, cache: Path, saboteur: str | None = None
    ) -> None:
        self.stack = stack
        self.session_id = session.id
        self.directory = session.directory
        self.runtime = RuntimeName.LOCAL
        self.ready_s: dict[str, float] = {}
        self._session = session
        self._toxiproxy = toxiproxy
        self._cache = cache
        self._saboteur = saboteur
        self._logs = session.directory / "logs"
        self._names = frozenset(stack.services)
        self._ports = self._allocate()
        self._link_ports = {link: session.ports.take() for link in stack.links}
        self._proxies: dict[Link, LinkProxy] = {}
        self._processes: dict[str, ServiceProcess] = {}
        self._services: dict[str, LocalService] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._listener: Listener | None = None

    async def start(self) -> None:
        """Start everything, in parallel as dependencies allow, and wait until it is ready.

        Raises:
            StartFailed: a service ended before it was ready.
            DeadlineExceeded: a service was not ready in time.
        """
        for service in self.stack.services.values():
            if not service.part.run:
                raise StackError(
                    f"{self.stack.path.name}: service {service.name} has no x-harness.run, so it cannot run as a local "
                    "process; say how, or drill with --runtime docker"
                )
        # Searchable, not readable: when the harness is root, Postgres runs as another user and must reach its files.
        self._session.directory.chmod(_SEARCHABLE)
        self._logs.mkdir(exist_ok=True)
        (self._session.directory / "volumes").mkdir(exist_ok=True)
        try:
            async with asyncio.TaskGroup() as group:
                for link in self.stack.links:
                    group.create_task(self._start_proxy(link))
            await self._make_templates()
            await self._start_services()
        except BaseExceptionGroup as causes:
            # The first failure is the reason; the others are what it dragged along.
            raise causes.exceptions[0] from None

    def address(self, service: str, port: int) -> Address:
        """Where a service's port is reached directly, around every proxy."""
        try:
            return _LOOPBACK, self._ports[service, port]
        except KeyError:
            raise StackError(f"nothing in {self.stack.path.name} says that {service} listens on port {port}") from None

    def link_address(self, link: Link) -> Address:
        """Where the client of a link reaches the server: the link's proxy."""
        return _LOOPBACK, self._link_ports[link]

    def readdress(self, text: str) -> str:
        """A text of the compose file with direct addresses in it."""
        return readdress(text, self._names, self._direct)

    def proxy(self, link: Link) -> LinkProxy:
        """The proxy of a link."""
        return self._proxies[link]

    def service(self, name: str) -> RunningService:
        """A service, to take it down and bring it back."""

        async def take_down(end: Callable[[ServiceProcess], Awaitable[object]]) -> None:
            if (watcher := self._watchers.pop(name, None)) is not None:
                watcher.cancel()
            await end(self._processes[name])

        async def start() -> None:
            await self._start_service(self.stack.services[name])
            self._watch(name)

        if name not in self._services:
            self._services[name] = LocalService(name, lambda: self._processes[name], take_down, start)
        return self._services[name]

    def log_file(self, service: str) -> Path:
        """The file with a service's output."""
        return self._logs / f"{service}.log"

    def log_files(self) -> Mapping[str, Path]:
        """Every file that the report should keep, by the name that it gets there."""
        return {path.name: path for path in sorted(self._logs.iterdir()) if path.is_file()}

    def listen(self, listener: Listener | None) -> None:
        """Tell ``listener`` what happens to proxies and services from now on."""
        self._listener = listener

    async def lost(self) -> str:
        """Wait for ever: what it runs on is this machine."""
        await asyncio.Event().wait()
        return ""

    async def restart(self, service: str) -> None:
        """End a service with everything that it started, and start it again.

        Raises:
            StartFailed: it ended before it was ready.
            DeadlineExceeded: it was not ready in time.
        """
        running = self.service(service)
        await running.kill()
        await running.start()

    async def execute(self, service: str, argv: Sequence[str], output: Path) -> int:
        """Run a command with a service's environment, to its end; when cancelled, it is ended.

        Args:
            service: whose environment and directory it gets.
            argv: the command; no shell reads it.
            output: the file for what it writes.
        """
        described = self.stack.services[service]
        words = [fill(word, self._places(described)) for word in argv]
        process = await ServiceProcess.start(
            service,
            [sys.executable if words[0] == "python" else words[0], *words[1:]],
            session=self._session,
            output=output,
            environment=self._environment(described),
            directory=self._data(service),
        )
        try:
            return await process.ended()
        finally:
            if process.returncode is None:
                await process.kill()

    async def forget_state(self) -> None:
        """Empty the directories that services declare as state of a run."""
        for service in self.stack.services.values():
            for text in service.part.reset_directories:
                await asyncio.to_thread(_make_empty, Path(fill(text, self._places(service))))

    async def close(self) -> None:
        """End every service and proxy; the session removes the files."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        async with asyncio.TaskGroup() as group:
            for process in self._processes.values():
                group.create_task(process.stop(_STOP_GRACE_S))
        async with asyncio.TaskGroup() as group:
            for proxy in self._proxies.values():
                group.create_task(proxy.close())

    def _allocate(self) -> dict[tuple[str, int], int]:
        wanted = {(link.server, link.port): None for link in self.stack.links}
        for service in self.stack.services.values():
            texts = (*service.part.run, *service.part.environment.values())
            wanted |= {(service.name, port): None for port in placeholder_ports(texts)}
        return {key: self._session.ports.take() for key in wanted}

    def _direct(self, service: str, port: int) -> Address | None:
        port_here = self._ports.get((service, port))
        return None if port_here is None else (_LOOPBACK, port_here)

    def _through_links(self, client: str, service: str, port: int) -> Address | None:
        port_here = self._link_ports.get(Link(client, service, port))
        return self._direct(service, port) if port_here is None else (_LOOPBACK, port_here)

    def _data(self, service: str) -> Path:
        return self._session.directory / service

    def _places(self, service: Service) -> Places:
        template = template_of(self.stack, service, self._cache)
        return Places(
            ports={port: here for (name, port), here in self._ports.items() if name == service.name},
            data=str(self._data(service.name)),
            volumes=str(self._session.directory / "volumes"),
            project=str(self.stack.project),
            template=str(template.path) if template else "",
        )

    def _environment(self, service: Service) -> dict[str, str]:
        places = self._places(service)
        own = {key: fill(value, places) for key, value in {**service.environment, **service.part.environment}.items()}
        own = readdress_environment(own, self._names, lambda name, port: self._through_links(service.name, name, port))
        environment = self._session.environment() | own
        python_path = [environment.get("PYTHONPATH"), str(self.stack.project)]
        if self._saboteur is not None and self.stack.saboteur_hook is not None:
            python_path.insert(0, str(self.stack.saboteur_hook))
            environment["SABOTEUR"] = self._saboteur
        environment["PYTHONPATH"] = ":".join(path for path in python_path if path)
        return environment

    async def _start_proxy(self, link: Link) -> None:
        place = LocalPlace(
            str(link),
            listen_port=self._link_ports[link],
            control_port=self._session.ports.take(),
            upstream=self.address(link.server, link.port),
            binary=self._toxiproxy,
            session=self._session,
        )
        self._proxies[link] = LinkProxy(
            str(link),
            self.link_address(link),
            place.start,
            log=self._logs / f"toxiproxy.{link.slug}.log",
            on_replaced=self._proxy_replaced,
        )
        await self._proxies[link].start()

    async def _make_templates(self) -> None:
        for service in self.stack.services.values():
            template = template_of(self.stack, service, self._cache)
            if template is not None and not template.path.exists():
                await self._make_template(service, template)

    async def _make_template(self, service: Service, template: Template) -> None:
        """Run the service with what fills it, stop it, and keep its data."""
        await self._start_service(service)
        for name in template.made_by:
            await self._start_service(self.stack.services[name])
        await self._processes.pop(service.name).stop(_STOP_GRACE_S)
        await template.keep(self._data(service.name))

    async def _start_services(self) -> None:
        only_for_templates = {name for service in self.stack.services.values() for name in _made_by(service)}
        wanted = {name: service for name, service in self.stack.services.items() if name not in only_for_templates}
        started = {name: asyncio.Event() for name in wanted}
        ready = {name: asyncio.Event() for name in wanted}

        async def start(service: Service) -> None:
            for needed, must_be_ready in service.depends_on.items():
                if needed in wanted:
                    await (ready if must_be_ready else started)[needed].wait()
            await self._start_service(service, started[service.name])
            ready[service.name].set()

        async with asyncio.TaskGroup() as group:
            for service in wanted.values():
                group.create_task(start(service))
        for name in wanted:
            self._watch(name)

    async def _start_service(self, service: Service, started: asyncio.Event | None = None) -> None:
        self._data(service.name).mkdir(_SEARCHABLE, exist_ok=True)
        places = self._places(service)
        argv = [fill(word, places) for word in service.part.run]
        process = await ServiceProcess.start(
            service.name,
            [sys.executable if argv[0] == "python" else argv[0], *argv[1:]],
            session=self._session,
            output=self.log_file(service.name),
            environment=self._environment(service),
            directory=self._data(service.name),
        )
        self._processes[service.name] = process
        if started is not None:
            started.set()
        self.ready_s[service.name] = await wait_until_ready(
            process, service.part.ready, self.readdress, service.part.ready_within_s
        )

    def _watch(self, service: str) -> None:
        end = self._tell_of_end(self._processes[service])
        self._watchers[service] = asyncio.create_task(end, name=f"watch {service}")

    async def _tell_of_end(self, process: ServiceProcess) -> None:
        returncode = await process.ended()
        if self._listener is not None:
            last_output = process.tail(_SHOWN_LINES)
            self._listener(ServiceEnded(service=process.name, returncode=returncode, last_output=last_output))

    def _proxy_replaced(self, replaced: LinkReplaced) -> None:
        if self._listener is not None:
            # One that died, nobody had asked to; the others were replaced because the harness lifted a fault.
            expected = replaced.reason is not ReplacedBecause.DIED
            reason = f"the Toxiproxy server {replaced.reason}"
            self._listener(ProxyReplaced(link=replaced.link, reason=reason, took_s=replaced.took_s, expected=expected))


def _make_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def _made_by(service: Service) -> list[str]:
    return service.part.template.made_by if service.part.template else []
