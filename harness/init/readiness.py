"""Readiness, found in health checks and, where there are none, in what an image is known for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from harness.init.foreign import ForeignService
from harness.init.known import POSTGRES_PORT, image_port

_URL = re.compile(
    r"http://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(?P<port>\d{1,5}))?(?P<path>/[^\s'\"|;)]*)?"
)
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class FoundProbe:
    """How a service's readiness is seen.

    Args:
        kind: http, sql, tcp or done: the key in ``x-harness.ready``.
        target: its value.
        where: where the file tells of it, for people.
    """

    kind: str
    target: str
    where: str


def find_probe(service: ForeignService) -> FoundProbe | None:
    """What shows that a service is ready; None leaves it to the service's own health check, if it has one."""
    health = service.compose.healthcheck
    test = health.test if health is not None and has_health_check(service) else []
    text = " ".join(test)
    if match := _URL.search(text):
        port = int(match["port"] or _HTTP_PORT)
        return FoundProbe("http", f"http://{service.name}:{port}{match['path'] or '/'}", "health check")
    dsn = database_of(service)
    if dsn is not None and (not test or "pg_isready" in text or "psql" in text):
        return FoundProbe("sql", dsn, "health check" if test else "its image")
    if not test and service.ports:
        return FoundProbe("tcp", f"{service.name}:{service.ports[0]}", f"port {service.ports[0]}, no health check")
    return None


def has_health_check(service: ForeignService) -> bool:
    """Whether the file says itself how its health is seen."""
    health = service.compose.healthcheck
    return health is not None and not health.disable and bool(health.test) and health.test[:1] != ["NONE"]


def database_of(service: ForeignService) -> str | None:
    """The address of a Postgres, by the variables of its official image; the password as the file writes it.

    None of another service, where the password stands in a place that a file of ours should not repeat, and where a
    variable stands for something that an address has to write differently.
    """
    if image_port(service.compose.image) != POSTGRES_PORT:
        return None
    user = _in_address(service, "POSTGRES_USER") or "postgres"
    password = _in_address(service, "POSTGRES_PASSWORD")
    if "POSTGRES_PASSWORD" in service.environment and password is None:
        return None
    login = f"{user}:{password}" if password else user
    return f"postgresql://{login}@{service.name}:{POSTGRES_PORT}/{_in_address(service, 'POSTGRES_DB') or user}"


def _in_address(service: ForeignService, key: str) -> str | None:
    """A value of the environment as an address has it: ``p@ss`` is ``p%40ss`` there, and ``${NAME}`` stays."""
    written = service.as_written.get(key)
    if written is None:
        return None
    if "$" not in written:
        return quote(written, safe="")
    value = service.environment.get(key, "")
    return written if quote(value, safe="") == value else None
