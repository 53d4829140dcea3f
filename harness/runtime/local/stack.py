"""The stack as local processes: every service a process, every link a proxy on a port of its own."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.errors import StackError
from harness.runtime.local.layout import LocalLayout
from harness.runtime.local.process import ServiceProcess
from harness.runtime.local.saboteur_switch import SaboteurSwitch
from harness.runtime.local.service import LocalService
from harness.runtime.local.template import Template
from harness.runtime.local.toxiproxy_server import LocalPlace
from harness.runtime.logs import LogDirectory
from harness.runtime.notices import Notices
from harness.runtime.readiness import wait_until_ready
from harness.runtime.running import RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.session.undo_log import UndoLog
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.addressing import Address
from harness.stack.link import Link
from harness.stack.stack import Service, Stack

_STOP_GRACE_S = 4.0
_SEARCHABLE = 0o711


class LocalStack:
    """A stack that runs as processes of one session.

    Args:
        stack: what runs.
        session: owns every process and file.
        toxiproxy: the Toxiproxy server's binary.
        cache: where templates are kept.
        saboteur: the defect to plant in the system, if any; empty where one may be planted later.
    """

    def __init__(
        self, stack: Stack, session: Session, *, toxiproxy: Path, cache: Path, saboteur: str | None = None
    ) -> None:
        self.stack = stack
        self.session_id = session.id
        self.directory = session.directory
        self.runtime = RuntimeName.LOCAL
        self.not_idle: set[str] = set()
        self.project: str | None = None
        self.logs = LogDirectory(session.directory / "logs")
        self.notices = Notices(stack)
        self.undo_log: UndoLog | None = None
        self.ready_s: dict[str, float] = {}
        self._session = session
        self._toxiproxy = toxiproxy
        self._saboteur = saboteur
        self._layout = LocalLayout(stack, session, cache=cache, saboteur=saboteur)
        self._proxies: dict[Link, LinkProxy] = {}
        self._services = {name: self._local_service(service) for name, service in stack.services.items()}

    async def start(self) -> None:
        """Start everything, in parallel as dependencies allow, and wait until it is ready.

        Raises:
            StackError: the compose file does not say how a service runs as a local process.
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
        self.logs.make()
        self._layout.volumes.mkdir(exist_ok=True)
        if self._saboteur is not None:
            SaboteurSwitch(self.directory).turn(self._saboteur)
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
        return self._layout.address(service, port)

    def link_address(self, link: Link) -> Address:
        """Where the client of a link reaches the server: the link's proxy."""
        return self._layout.link_address(link)

    def rewrite_addresses(self, text: str) -> str:
        """A text of the compose file with direct addresses in it."""
        return self._layout.rewrite_addresses(text)

    def proxy(self, link: Link) -> LinkProxy:
        """The proxy of a link."""
        return self._proxies[link]

    def service(self, name: str) -> LocalService:
        """A service, to take it down and bring it back."""
        return self._services[name]

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

    async def _execute(self, service: Service, argv: Sequence[str], output: Path) -> int:
        process = await self._process(service, argv, output, command=secrets.token_hex(4))
        try:
            return await process.ended()
        except asyncio.CancelledError:
            await process.kill()
            raise

    def disk_usage(self) -> Mapping[str, int]:
        """How many bytes lie in each service's own directory, and in each volume."""
        return self._layout.disk_usage()

    async def forget_state(self) -> None:
        """Empty the directories that services declare as state of a run."""
        for service in self.stack.services.values():
            for text in service.part.reset_directories:
                await asyncio.to_thread(_make_empty, Path(self._layout.fill(text, service)))
        if self._saboteur is not None:
            SaboteurSwitch(self.directory).forget_runs()

    async def close(self) -> None:
        """End every service and proxy; the session removes the files."""
        async with asyncio.TaskGroup() as group:
            for service in self._services.values():
                group.create_task(service.close(_STOP_GRACE_S))
        async with asyncio.TaskGroup() as group:
            for proxy in self._proxies.values():
                group.create_task(proxy.close())

    async def _start_proxy(self, link: Link) -> None:
        place = LocalPlace(
            str(link),
            listen_port=self.link_address(link)[1],
            control_port=self._session.ports.take(),
            upstream=self.address(link.server, link.port),
            binary=self._toxiproxy,
            session=self._session,
            protocol=self.stack.link_probes.get((link.server, link.port), ""),
        )
        self._proxies[link] = LinkProxy(
            str(link),
            self.link_address(link),
            place.start,
            log=self.logs.of_link(link),
            on_replaced=self.notices.replaced,
        )
        await self._proxies[link].start()

    async def _make_templates(self) -> None:
        for service in self.stack.services.values():
            template = self._layout.template(service)
            if template is not None and not template.path.exists():
                await self._make_template(service, template)

    async def _make_template(self, service: Service, template: Template) -> None:
        """Run the service with what fills it, stop it, and keep its data."""
        await self._bring_up(service)
        for name in template.made_by:
            await self._bring_up(self.stack.services[name])
        await self._services[service.name].close(_STOP_GRACE_S)
        await template.keep(self._layout.data(service.name))

    async def _start_services(self) -> None:
        only_for_templates = {name for service in self.stack.services.values() for name in _made_by(service)}
        wanted = {name: service for name, service in self.stack.services.items() if name not in only_for_templates}
        started = {name: asyncio.Event() for name in wanted}
        ready = {name: asyncio.Event() for name in wanted}

        async def start(service: Service) -> None:
            for needed, must_be_ready in service.depends_on.items():
                if needed in wanted:
                    await (ready if must_be_ready else started)[needed].wait()
            await self._bring_up(service, started[service.name].set)
            ready[service.name].set()

        async with asyncio.TaskGroup() as group:
            for service in wanted.values():
                group.create_task(start(service))

    async def _bring_up(self, service: Service, on_launched: Callable[[], object] = lambda: None) -> None:
        self.ready_s[service.name] = await self._services[service.name].bring_up(on_launched)

    def _local_service(self, service: Service) -> LocalService:
        async def start_process() -> ServiceProcess:
            self._layout.data(service.name).mkdir(_SEARCHABLE, exist_ok=True)
            return await self._process(service, service.part.run, self.logs.of_service(service.name))

        async def until_ready(process: ServiceProcess) -> float:
            return await wait_until_ready(
                process, service.part.ready, self.rewrite_addresses, service.part.ready_within_s
            )

        async def execute(argv: Sequence[str], output: Path) -> int:
            return await self._execute(service, argv, output)

        return LocalService(
            service.name,
            start_process,
            until_ready,
            policy=service.restart,
            within_s=service.part.ready_within_s,
            notices=self.notices,
            execute=execute,
        )

    async def _process(
        self, service: Service, argv: Sequence[str], output: Path, command: str | None = None
    ) -> ServiceProcess:
        return await ServiceProcess.start(
            service.name,
            self._layout.argv(service, argv),
            session=self._session,
            output=output,
            environment=self._layout.environment(service),
            directory=self._layout.data(service.name),
            command=command,
        )


def _make_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)


def _made_by(service: Service) -> list[str]:
    return service.part.template.made_by if service.part.template else []
