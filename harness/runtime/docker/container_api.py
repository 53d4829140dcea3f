"""What an engine is told of one container's limits, and what it knows of them from the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from docker import DockerClient
from docker.errors import DockerException
from docker.models.containers import Container
from pydantic import Field, ValidationError
from requests import Response
from requests.exceptions import RequestException

from harness.errors import HarnessError
from harness.validated import Answer

_DEADLINE_S = 20.0
_REFUSED_FROM = 400
# Docker's word for a limit for which the kernel has no control group: it says so, and calls it a success.
_DISCARDED = "discarded"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class EngineRefused(HarnessError):
    """The engine would not do what a fault needs; the message is its own."""


class HostConfig(Answer):
    """A container's limits, as the engine was told them; 0 where there is none."""

    nano_cpus: int = Field(default=0, alias="NanoCpus")
    cpu_quota: int = Field(default=0, alias="CpuQuota")
    memory: int = Field(default=0, alias="Memory")
    memory_swap: int = Field(default=0, alias="MemorySwap")
    pids_limit: int | None = Field(default=None, alias="PidsLimit")


class State(Answer):
    """How a container is."""

    oom_killed: bool = Field(default=False, alias="OOMKilled")
    exit_code: int = Field(default=0, alias="ExitCode")
    started_at: datetime = Field(default=_NEVER, alias="StartedAt")


class MountPoint(Answer):
    """Something that is mounted in a container."""

    type: str = Field(alias="Type")
    destination: str = Field(alias="Destination")
    writable: bool = Field(default=True, alias="RW")


class Inspection(Answer):
    """What the engine knows of a container."""

    host_config: HostConfig = Field(alias="HostConfig")
    state: State = Field(alias="State")
    mounts: list[MountPoint] = Field(default_factory=list, alias="Mounts")


class _Throttling(Answer):
    throttled_periods: int = 0


class _Cpu(Answer):
    throttling_data: _Throttling = _Throttling()


class _Memory(Answer):
    usage: int = 0
    limit: int = 0
    failcnt: int = 0


class _Pids(Answer):
    current: int = 0
    limit: int | None = None


class _Updated(Answer):
    warnings: list[str] | None = Field(default=None, alias="Warnings")


class _Refusal(Answer):
    message: str


class Statistics(Answer):
    """What the kernel counts for a container's control group, version 1 or 2, by the engine's word.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/ (ContainerStats)
    """

    cpu: _Cpu = Field(default=_Cpu(), alias="cpu_stats")
    memory: _Memory = Field(default=_Memory(), alias="memory_stats")
    pids: _Pids = Field(default=_Pids(), alias="pids_stats")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command in a container came to."""

    exit_code: int
    output: str


def client_of(container: Container) -> DockerClient:
    """The connection to the engine that a container was found over."""
    assert container.client is not None, "it was found over one"
    return container.client


async def inspect(container: Container) -> Inspection:
    """Ask what the engine knows of a container now."""
    return Inspection.model_validate(await _call(container, "GET", "json"))


def started_at_s(inspection: Inspection) -> float:
    """When a container was started last, in seconds since 1970, by the engine's clock."""
    return inspection.state.started_at.timestamp()


async def statistics(container: Container) -> Statistics:
    """Ask what the kernel counts now."""
    return Statistics.model_validate(await _call(container, "GET", "stats?stream=false&one-shot=true"))


async def update(container: Container, limits: Mapping[str, int]) -> None:
    """Change limits of a container, by the names of the engine's API (the SDK knows only some of them).

    Raises:
        EngineRefused: the engine, or the kernel, would not; or the engine let the limit go by with a mere warning.
    """
    told = _Updated.model_validate(await _call(container, "POST", "update", limits))
    if discarded := [warning for warning in told.warnings or [] if _DISCARDED in warning.lower()]:
        raise EngineRefused(f"the engine would not limit {container.name}: {' '.join(discarded)}")


async def run_in(container: Container, argv: list[str]) -> Said:
    """Run a command in a running container, as the container's own user, in plain English.

    Raises:
        EngineRefused: it could not be started.
    """

    def work() -> Said:
        exit_code, output = container.exec_run(argv, environment={"LC_ALL": "C"})
        assert isinstance(output, bytes), "neither streamed nor demultiplexed"
        return Said(int(exit_code or 0), output.decode(errors="replace").strip())

    try:
        return await asyncio.to_thread(work)
    except (DockerException, RequestException) as cause:
        raise EngineRefused(f"{argv[0]} could not be run in {container.name}: {_first_line(cause)}") from cause


async def _call(container: Container, verb: str, what: str, body: Mapping[str, int] | None = None) -> object:
    api = client_of(container).api

    def work() -> object:
        url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/{what}"
        response = api.request(verb, url, json=body, timeout=_DEADLINE_S)
        if response.status_code >= _REFUSED_FROM:
            raise EngineRefused(f"the engine would not {verb} {what} of {container.name}: {_reason(response)}")
        return response.json()

    try:
        return await asyncio.to_thread(work)
    except RequestException as cause:
        raise EngineRefused(f"the engine did not answer for {container.name}: {_first_line(cause)}") from cause


def _reason(response: Response) -> str:
    """The engine's words, in one line."""
    try:
        said = _Refusal.model_validate_json(response.text).message
    except ValidationError:
        said = response.text
    return " ".join(said.split())


def _first_line(cause: Exception) -> str:
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
