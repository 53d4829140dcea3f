"""What a daemon says of its stack: what runs, where it is reached, and what the daemon is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from harness.clients.database import without_password
from harness.errors import StackError
from harness.runtime.docker.published import ServicePort, published_ports
from harness.runtime.running import RunningStack, RuntimeName
from harness.stack.addressing import Address, placeholder_ports
from harness.stack.compose import DoneProbe
from harness.stack.credentials import Origin, read_from
from harness.stack.stack import Service, Stack
from harness.validated import Strict

DONE = "done"
"""The state of a one-shot service, which has done its work before the stack was ready."""


class Work(Strict):
    """What the daemon is doing.

    Args:
        what: whether it drills or brings load.
        name: the scenario; empty until the first begins, and for a load.
        step: the phase, or the run.
        since: when it began.
    """

    what: Literal["drill", "load"]
    name: str = ""
    step: str = ""
    since: datetime

    def __str__(self) -> str:
        """As in ``drill backend-down, faults``."""
        return ", ".join(part for part in (f"{self.what} {self.name}".strip(), self.step) if part)


class OpenPort(Strict):
    """A port of a service, and where it is reached around every proxy."""

    port: int
    address: str


class ServiceStatus(Strict):
    """A service: ``state`` is running, paused or ended, or done for a one-shot service."""

    name: str
    state: str
    ports: list[OpenPort]


class LinkStatus(Strict):
    """A link, and where its proxy is reached."""

    link: str
    address: str


class Access(Strict):
    """Something that people and programs ask directly.

    Args:
        what: what it is.
        address: its URL, without a password.
        user: as whom one logs in; None where one need not.
        password_from: the variables from which the password is read, or its place in the compose file.
    """

    what: str
    address: str
    user: str | None = None
    password_from: str | None = None


class StackStatus(Strict):
    """A stack that is up.

    Args:
        stack: its compose file.
        runtime: how it runs.
        saboteur: the defect that is planted in it, if any.
        session: the session that owns it.
        pid: the daemon's process.
        since: when it was ready.
        work: what the daemon is doing; None when it waits for work.
        secrets: for each variable with a secret, where its value comes from.
    """

    up: Literal[True] = True
    stack: Path
    runtime: RuntimeName
    saboteur: str | None
    session: str
    pid: int
    since: datetime
    work: Work | None
    services: list[ServiceStatus]
    links: list[LinkStatus]
    access: list[Access]
    secrets: dict[str, Origin]


async def service_statuses(running: RunningStack) -> list[ServiceStatus]:
    """Every service, asked how it is."""
    ports = open_ports(running)

    async def ask(service: Service) -> ServiceStatus:
        state = DONE if isinstance(service.part.ready, DoneProbe) else await running.service(service.name).state()
        own = [OpenPort(port=port, address=_text(at)) for (name, port), at in ports.items() if name == service.name]
        return ServiceStatus(name=service.name, state=str(state), ports=own)

    return list(await asyncio.gather(*(ask(service) for service in running.stack.services.values())))


def link_statuses(running: RunningStack) -> list[LinkStatus]:
    """Every link."""
    return [LinkStatus(link=str(link), address=_text(running.link_address(link))) for link in running.stack.links]


def open_ports(running: RunningStack) -> dict[ServicePort, Address]:
    """Every port of a service that can be reached from here, and where."""
    found: dict[ServicePort, Address] = {}
    for service, port in _ports_of(running.stack):
        try:
            found[service, port] = running.address(service, port)
        except StackError:
            # Named in the file, and not open on this runtime.
            continue
    return dict(sorted(found.items()))


def accesses(running: RunningStack) -> list[Access]:
    """What the stack's file names as adapters with an address of their own."""
    return list(_accesses(running))


def _accesses(running: RunningStack) -> Iterator[Access]:
    path, adapters = running.stack.path, running.stack.adapters
    if adapters.airflow is not None:
        yield Access(
            what="Airflow",
            address=_without_user(running.rewrite_addresses(adapters.airflow.url)),
            user=adapters.airflow.username,
            password_from=read_from(path, ("x-harness", "adapters", "airflow", "password")),
        )
    if adapters.database is not None:
        dsn = without_password(running.rewrite_addresses(adapters.database.dsn))
        place = ("x-harness", "adapters", "database", "dsn")
        yield Access(
            what="database",
            address=dsn.address,
            user=dsn.user,
            password_from=read_from(path, place) if dsn.has_password else None,
        )
    if adapters.gateway is not None:
        control = _without_user(running.rewrite_addresses(adapters.gateway.control))
        yield Access(what="gateway control", address=control)
    if adapters.notifications is not None:
        sink = _without_user(running.rewrite_addresses(adapters.notifications.url))
        yield Access(what="notifications", address=sink)


def _ports_of(stack: Stack) -> Iterator[ServicePort]:
    yield from published_ports(stack)
    for service in stack.services.values():
        for port in placeholder_ports((*service.part.run, *service.part.environment.values())):
            yield service.name, port


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
