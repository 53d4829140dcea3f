"""Names in the adapters that have to exist in the stack.

Of a service that is not there, every silence would be a good one; and an address that is none of the stack's own might
be one that matters: a reset would empty its tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from harness.errors import StackError, UnsafeTarget
from harness.stack.adapters import Adapters
from harness.stack.link import Link, matches
from harness.stack.probes import LogPromise
from harness.stack.source import KeyPath, Source


def refuse_unknown_names(
    source: Source, adapters: Adapters, services: tuple[str, ...], links: tuple[Link, ...]
) -> None:
    """Find the first service or link that an adapter names and the stack does not have.

    Args:
        source: the file.
        adapters: what it says under ``x-harness.adapters``.
        services: the names of the stack's services.
        links: the stack's links.

    Raises:
        StackError: names file, line and key, and what there is.
        UnsafeTarget: an address is none of the stack's own.
    """
    # A host in a URL has no case.
    hosts = {name.lower() for name in services}
    for path, url in _addresses(adapters):
        if (host := urlsplit(url).hostname) not in hosts:
            where = source.where(("x-harness", "adapters", *path))
            known = ", ".join(services)
            raise UnsafeTarget(f"{where}: names {host or 'no host'!r}, which is no service; there are: {known}")
    for path, name in _services(adapters):
        if name not in services:
            where = source.where(("x-harness", "adapters", *path))
            raise StackError(f"{where}: {name!r} is not a service; there are: {', '.join(services)}")
    for path, text in _targets(adapters):
        if text not in services and not any(matches(text, link) for link in links):
            where = source.where(("x-harness", "adapters", *path))
            known = ", ".join(f"'{link}'" for link in links)
            raise StackError(f"{where}: {text!r} is not a link of the stack; there are: {known}")


def _addresses(adapters: Adapters) -> Iterator[tuple[KeyPath, str]]:
    if adapters.airflow is not None:
        yield ("airflow", "url"), adapters.airflow.url
    if adapters.gateway is not None:
        yield ("gateway", "control"), adapters.gateway.control
    if adapters.notifications is not None:
        yield ("notifications", "url"), adapters.notifications.url
    if adapters.database is not None:
        yield ("database", "dsn"), adapters.database.dsn
    if adapters.workload is not None and adapters.workload.http is not None:
        yield ("workload", "http", "url"), adapters.workload.http.url
    if adapters.artifacts is not None and adapters.artifacts.http is not None:
        yield ("artifacts", "http", "url"), adapters.artifacts.http.url
    if adapters.operations is not None and adapters.operations.http is not None:
        yield ("operations", "http", "url"), adapters.operations.http.url


def _services(adapters: Adapters) -> Iterator[tuple[KeyPath, str]]:
    if adapters.airflow is not None:
        yield ("airflow", "tasks_run_in"), adapters.airflow.tasks_run_in
    if adapters.workload is not None and adapters.workload.command is not None:
        yield ("workload", "command", "service"), adapters.workload.command.service
    for name, probe in adapters.probes.items():
        if isinstance(probe, LogPromise):
            yield ("probes", name, "log"), probe.log


def _targets(adapters: Adapters) -> Iterator[tuple[KeyPath, str]]:
    for name, probe in adapters.probes.items():
        if isinstance(probe, LogPromise) and probe.under is not None:
            yield ("probes", name, "under"), probe.under
    for index, traffic in enumerate(adapters.traffic):
        yield ("traffic", index, "link"), traffic.link
