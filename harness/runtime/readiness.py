"""Readiness: asked every 50 ms, with a deadline whose error shows why it is not there yet."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import httpx
import psycopg

from harness.errors import NO_ROOM, DeadlineExceeded, StartFailed
from harness.runtime.waiting import NotYet, until
from harness.stack.compose import DoneProbe, HttpProbe, LogProbe, Probe, SqlProbe, TcpProbe
from harness.stack.compose_values import Scalar

POLL_S = 0.05
ATTEMPT_S = 2.0
# An engine's forwarder accepts a connection before a server listens behind it, and ends it at once.
_HELD_S = 0.1
_SHOWN_LINES = 15
# Everything asked here is plain http on loopback.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Watched(Protocol):
    """A running service, as far as its readiness is concerned.

    Args:
        name: its name.
        output: the file with all that it wrote, over all its starts.
        output_from: where in that file the output of its last start begins, in bytes.
    """

    name: str
    output: Path
    output_from: int

    @property
    def returncode(self) -> int | None:
        """Its exit code, once it has ended."""

    def tail(self, lines: int = 20) -> str:
        """Its last output."""


Attempt = Callable[[], Awaitable[str | None]]
"""One try: None when ready, else why not."""


async def wait_until_ready(
    service: Watched, probe: Probe | None, rewrite_addresses: Callable[[str], str], within_s: float
) -> float:
    """Wait until a service is ready.

    Args:
        service: the service.
        probe: what makes it ready; None means that having been started is enough.
        rewrite_addresses: puts real addresses in the place of ``service:port``.
        within_s: the deadline.

    Returns:
        How long it took, in seconds.

    Raises:
        StartFailed: it ended before it was ready.
        DeadlineExceeded: it was not ready in time.
    """
    if probe is None:
        return 0.0
    async with _open_attempt(service, probe, rewrite_addresses) as attempt:
        return await wait_until(attempt, service, within_s, may_end=isinstance(probe, DoneProbe))


async def wait_until(attempt: Attempt, service: Watched, within_s: float, *, may_end: bool = False) -> float:
    """Try again and again until an attempt finds the service ready.

    Args:
        attempt: one try.
        service: the service.
        within_s: the deadline.
        may_end: whether a service that ended well may still become ready.

    Returns:
        How long it took, in seconds.

    Raises:
        StartFailed: it ended before it was ready.
        DeadlineExceeded: it was not ready in time.
    """
    began_s = time.monotonic()

    async def is_ready() -> bool:
        if (reason := await attempt()) is not None:
            _require_hope(service, may_end=may_end)
            raise NotYet(reason)
        return True

    try:
        await until(is_ready, what=f"{service.name} to be ready", deadline_s=within_s, poll_s=POLL_S)
    except DeadlineExceeded as cause:
        raise DeadlineExceeded(
            f"{service.name} was not ready within {within_s:g} s ({cause.evidence}); its last output:",
            evidence=service.tail(_SHOWN_LINES),
            service=service.name,
        ) from None
    return time.monotonic() - began_s


def _require_hope(service: Watched, *, may_end: bool) -> None:
    """Give up on a service that has ended."""
    if service.returncode is not None and (not may_end or service.returncode != 0):
        last_output = service.tail(_SHOWN_LINES)
        why = ": no space was left on its disk, make room there" if NO_ROOM in last_output else ""
        raise StartFailed(
            f"{service.name} ended with exit code {service.returncode} before it was ready{why}; its last output:",
            evidence=last_output,
            service=service.name,
        )


@asynccontextmanager
async def _open_attempt(
    service: Watched, probe: Probe, rewrite_addresses: Callable[[str], str]
) -> AsyncIterator[Attempt]:
    match probe:
        case HttpProbe():
            # One client for all tries: making one reads the machine's certificates, which takes longer than the try.
            async with httpx.AsyncClient(timeout=ATTEMPT_S, trust_env=False, verify=NO_TLS) as client:
                yield _http(client, rewrite_addresses(probe.http), probe.json_values)
        case TcpProbe():
            host, _, port = rewrite_addresses(probe.tcp).rpartition(":")
            yield _tcp(host, int(port))
        case SqlProbe():
            yield _sql(rewrite_addresses(probe.sql))
        case LogProbe():
            yield _log(service, re.compile(probe.log))
        case DoneProbe():
            yield _done(service)


def _http(client: httpx.AsyncClient, url: str, wanted: dict[str, Scalar]) -> Attempt:
    async def attempt() -> str | None:
        try:
            response = await client.get(url)
        except httpx.HTTPError as cause:
            return f"GET {url}: {type(cause).__name__}"
        if not response.is_success:
            return f"GET {url}: {response.status_code}"
        for path, value in wanted.items():
            found: object = response.json()
            for key in path.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if found != value:
                return f"GET {url}: {path} is {found!r}, not {value!r}"
        return None

    return attempt


def _tcp(host: str, port: int) -> Attempt:
    async def attempt() -> str | None:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                reader, writer = await asyncio.open_connection(host, port)
        except OSError as cause:
            return f"{host}:{port}: {cause.strerror or type(cause).__name__}"
        try:
            async with asyncio.timeout(_HELD_S):
                said = await reader.read(1)
        except TimeoutError:
            return None
        except OSError as cause:
            return f"{host}:{port}: {cause.strerror or type(cause).__name__}"
        finally:
            writer.transport.abort()
        return None if said else f"{host}:{port}: the connection was accepted, and ended at once"

    return attempt


def _sql(dsn: str) -> Attempt:
    async def attempt() -> str | None:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, connect_timeout=int(ATTEMPT_S)) as connection:
                await connection.execute("SELECT 1")
        except psycopg.Error as cause:
            return f"Postgres: {str(cause).strip().splitlines()[-1]}"
        return None

    return attempt


def _log(service: Watched, pattern: re.Pattern[str]) -> Attempt:
    async def attempt() -> str | None:
        with service.output.open("rb") as file:
            file.seek(service.output_from)
            said = file.read().decode(errors="replace")
        return None if pattern.search(said) else f"no line of its output matches {pattern.pattern!r}"

    return attempt


def _done(service: Watched) -> Attempt:
    async def attempt() -> str | None:
        return None if service.returncode == 0 else "it is still at work"

    return attempt
