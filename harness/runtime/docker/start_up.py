"""Bringing a stack up: everything at once, but what must wait for something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.runtime.docker.container_factory import ContainerFactory, control_port_of, require_container
from harness.runtime.docker.health import wait_until_up
from harness.runtime.docker.link_container import LinkContainer
from harness.runtime.docker.plan import Member, at, between
from harness.runtime.docker.published import ServicePort
from harness.runtime.docker.reach import is_on_this_machine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.docker.start_order import StartOrder
from harness.runtime.docker.volumes import VolumeTemplate, named_volumes, template_of
from harness.runtime.logs import LogDirectory
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.link_proxy import LinkProxy, LinkReplaced
from harness.stack.addressing import Address
from harness.stack.link import Link
from harness.stack.stack import Service, Stack

_LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class _Turn:
    """How far a service has come."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class StartUp:
    """Makes the parts of a stack and starts them; each part waits for no more than it needs.

    Args:
        factory: makes the containers.
        session: owns ports and files.
        logs: where output goes.
        ports: published port -> port on 127.0.0.1.
        rewrite_addresses: puts published addresses in the place of ``service:port``.
        on_end: is told of a service that ends by itself.
        on_restarted: is told of one that is up again after that, and how many seconds that took.
        on_replaced: is told of each replaced Toxiproxy.
    """

    def __init__(
        self,
        factory: ContainerFactory,
        session: Session,
        *,
        logs: LogDirectory,
        ports: Mapping[ServicePort, int],
        rewrite_addresses: Callable[[str], str],
        on_end: Callable[[ServiceContainer, int | None], object],
        on_restarted: Callable[[str, float], object],
        on_replaced: Callable[[LinkReplaced], object],
    ) -> None:
        self.services: dict[str, ServiceContainer] = {}
        self.proxies: dict[Link, LinkProxy] = {}
        self.ready_s: dict[str, float] = {}
        self._factory = factory
        self._session = session
        self._logs = logs
        self._ports = ports
        self._rewrite_addresses = rewrite_addresses
        self._on_end = on_end
        self._on_restarted = on_restarted
        self._on_replaced = on_replaced
        self._lans: dict[str, asyncio.Task[None]] = {}
        self._proxies_up: dict[Link, asyncio.Task[None]] = {}
        self._turns: dict[str, _Turn] = {}
        self._start_order = StartOrder({})

    @property
    def _stack(self) -> Stack:
        return self._factory.stack

    async def run(self) -> None:
        """Start everything, and wait until it is ready.

        Raises:
            BaseExceptionGroup: the first of its causes is the reason.
        """
        templates = await self._templates()
        parts = {name: self._stack.services[name].part.template for name in templates}
        only_for_templates = {maker for part in parts.values() if part is not None for maker in part.made_by}
        wanted = [each for name, each in self._stack.services.items() if name not in only_for_templates]
        self._turns = {service.name: _Turn() for service in wanted}
        self._start_order = StartOrder({service.name: service for service in wanted})
        async with asyncio.TaskGroup() as group:
            plan, networks = self._factory.plan, self._factory.networks
            self._lans = {name: group.create_task(networks.make(lan)) for name, lan in plan.lans.items()}
            self._proxies_up = {link: group.create_task(self._bring_up_proxy(link)) for link in self._stack.links}
            for service in wanted:
                group.create_task(self._bring_up(service, templates.get(service.name)))

    async def until_ready(self, running: ServiceContainer) -> float:
        """Wait until a service is ready."""
        service = self._stack.services[running.name]
        return await wait_until_up(self._factory.engine, running, service, self._rewrite_addresses)

    async def _templates(self) -> dict[str, VolumeTemplate]:
        engine, services = self._factory.engine, self._stack.services.values()
        found = {each.name: await template_of(engine, self._session, self._stack, each) for each in services}
        return {name: template for name, template in found.items() if template is not None}

    async def _bring_up(self, service: Service, template: VolumeTemplate | None) -> None:
        await self._start_order.turn(self._start_order.rank(service.name))
        kept = await template.find() if template is not None else None
        if template is not None and kept is not None:
            # While the networks are made, which the container cannot be created without.
            await self._factory.volumes.make([template.volume])
            await template.copy(kept, self._factory.volumes.full_name(template.volume))
        running = await self._create(service)
        await self._until_its_turn(service)
        if template is not None and kept is None:
            await self._make(service, running, template)
        turn = self._turns[service.name]

        def launched() -> None:
            self._start_order.launched(service.name)
            turn.started.set()

        self.ready_s[service.name] = await running.bring_up(launched)
        turn.ready.set()

    async def _make(self, service: Service, running: ServiceContainer, template: VolumeTemplate) -> None:
        """Run the service with what fills its template, stop it, and keep its volume."""
        await running.start()
        for name in service.part.template.made_by if service.part.template else []:
            maker = await self._create(self._stack.services[name])
            await maker.start()
        await running.stop()
        await template.keep(self._factory.volumes.full_name(template.volume))

    async def _create(self, service: Service) -> ServiceContainer:
        await self._laid(service.name)
        await self._factory.volumes.make(named_volumes(service))
        ports = {port: here for (name, port), here in self._ports.items() if name == service.name}
        running = ServiceContainer(
            service.name,
            self._factory.engine,
            await self._factory.service(service, ports),
            self._logs.of_service(service.name),
            stop_grace_s=require_container(self._stack, service).stop_grace_s,
            until_ready=self.until_ready,
            on_end=self._on_end,
            policy=service.restart,
            within_s=service.part.ready_within_s,
            on_restarted=self._on_restarted,
        )
        with self._session.reaper.asking():
            await running.create()
        self.services[service.name] = running
        return running

    async def _until_its_turn(self, service: Service) -> None:
        for link in self._stack.links:
            # Before its proxy runs, a server's name means nothing: who depends on the server depends on that.
            if link.client == service.name and link.server in service.depends_on:
                await self._proxies_up[link]
        for needed, must_be_ready in service.depends_on.items():
            if needed in self._turns:
                turn = self._turns[needed]
                await (turn.ready if must_be_ready else turn.started).wait()

    async def _bring_up_proxy(self, link: Link) -> None:
        await self._start_order.turn(self._start_order.rank_of_proxy(link))
        await self._laid(link)
        plan, networks = self._factory.plan, self._factory.networks
        reached = self._reach(link)
        ports = {inside: here for inside, (host, here) in reached.items() if host == _LOOPBACK}
        place = LinkContainer(
            link.slug,
            self._factory.engine,
            self._factory.proxy(link, ports),
            listen_port=link.port,
            control=reached[control_port_of(link)],
            upstream=(networks.address(plan.lans[at(link.server)], link.server), link.port),
            protocol=self._stack.link_probes.get((link.server, link.port), ""),
        )
        with self._session.reaper.asking():
            await place.create()
        self.proxies[link] = LinkProxy(
            str(link),
            reached[link.port],
            place.start,
            log=self._logs.of_link(link),
            caller=networks.address(plan.lans[between(link)], link.client),
            on_replaced=self._on_replaced,
        )
        await self.proxies[link].start()

    def _reach(self, link: Link) -> dict[int, Address]:
        """Where the harness reaches each port of a link's Toxiproxy: at its own address, or else published.

        The engine's forwarder costs a process and some of the kernel's rules for each port, and makes an orderly end of
        every reset.
        """
        networks, lan = self._factory.networks, self._factory.plan.lans[at(link.server)]
        ports = (link.port, control_port_of(link))
        if is_on_this_machine(networks.gateway(lan)):
            return {port: (networks.address(lan, link), port) for port in ports}
        return {port: (_LOOPBACK, self._session.ports.take()) for port in ports}

    async def _laid(self, member: Member) -> None:
        for lan in self._factory.plan.of(member):
            await self._lans[lan.name]
