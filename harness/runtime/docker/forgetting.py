"""Emptying what services declare as the state of a run, in the volumes that they mount."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.stack.container import VolumeMount
from harness.stack.stack import Service, Stack

_IN_VOLUME = re.compile(r"\{volume:(?P<volume>[\w.-]+)\}/?(?P<rest>.*)")
_ABSENT = "No such file"


async def forget(engine: Engine, stack: Stack, running: Mapping[str, ServiceContainer]) -> None:
    """Empty every directory that a service declares, in the container of that service.

    Raises:
        HarnessError: one could not be emptied.
    """
    for service in stack.services.values():
        places = [place for text in service.part.reset_directories if (place := _place(service, text)) is not None]
        if places and service.name in running:
            await _empty(engine, running[service.name], places)


async def _empty(engine: Engine, service: ServiceContainer, places: list[str]) -> None:
    container = service.container()
    command = ["find", *places, "-mindepth", "1", "-delete"]
    result = await engine.call(f"empty {', '.join(places)} of {service.name}", lambda: container.exec_run(command))
    said = result.output.decode(errors="replace") if isinstance(result.output, bytes) else ""
    # One that was never made is empty.
    trouble = [line for line in said.splitlines() if _ABSENT not in line]
    if result.exit_code != 0 and (trouble or not said):
        raise HarnessError(
            f"{', '.join(places)} of {service.name} could not be emptied (find ended with {result.exit_code}); the "
            "state of an earlier run is still there",
            evidence=said,
        )


def _place(service: Service, text: str) -> str | None:
    """Where a path in a volume lies in the service's container; None for a place that only a local process has."""
    match = _IN_VOLUME.fullmatch(text)
    if match is None or service.container is None:
        return None
    for mount in service.container.mounts:
        if isinstance(mount, VolumeMount) and mount.volume == match["volume"]:
            return f"{mount.target}/{match['rest']}".rstrip("/")
    return None
