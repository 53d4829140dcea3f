"""A compose file of another project, as it is read to make a proposal for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import StackError
from harness.init.known import image_port
from harness.stack.compose import ComposeService
from harness.stack.extends import extend
from harness.stack.interpolation import interpolate
from harness.stack.source import Source, read_source, validate
from harness.stack.unsupported import refuse_unsupported
from harness.stack.variables import dot_env, environment_of


class _Foreign(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    services: dict[str, ComposeService] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ForeignService:
    """One service.

    Args:
        name: as the file calls it.
        environment: as the service gets it.
        as_written: the same, where the file itself has it, with its variables not replaced: for secrets.
        compose: its keys.
    """

    name: str
    environment: Mapping[str, str]
    as_written: Mapping[str, str | None]
    compose: ComposeService

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens, as far as ports, expose or its image tell."""
        written = tuple(dict.fromkeys([*self.compose.expose, *self.compose.ports]))
        known = image_port(self.compose.image)
        return written or ((known,) if known else ())


def read_foreign(path: Path, variables: Mapping[str, str], only: tuple[str, ...] = ()) -> dict[str, ForeignService]:
    """The services of a compose file, by name.

    Args:
        path: the file.
        variables: what ``${NAME}`` stands for.
        only: the services that are wanted; without them all that a plain ``up`` would start.

    Raises:
        StackError: the file is missing, wrong, or has what a drill cannot honour; or a service does not exist.
    """
    written = read_source(path, StackError)
    if isinstance(written.data, dict) and "x-harness" in written.data:
        raise StackError(f"{written.where(('x-harness',))}: is there already, so it is drilled with --stack {path}")
    given = {**dot_env(path.parent), **variables}
    source = extend(interpolate(written, given), lambda other: interpolate(read_source(other, StackError), given))
    refuse_unsupported(_only(source, only))
    file = validate(source, _Foreign, StackError)
    for name in only:
        if name not in file.services:
            raise StackError(f"{path}: there is no service {name!r}; there are: {', '.join(file.services)}")
    started = only or [name for name, service in file.services.items() if not service.profiles]
    wanted = {name: service for name, service in file.services.items() if name in started}
    return {
        name: ForeignService(name, environment_of(source, name, service, given), _as_written(written, name), service)
        for name, service in wanted.items()
    }


def _only(source: Source, only: tuple[str, ...]) -> Source:
    data = source.data if isinstance(source.data, dict) else {}
    services = data.get("services")
    if not only or not isinstance(services, dict):
        return source
    kept = {name: service for name, service in services.items() if name in only}
    return Source(source.path, {**data, "services": kept}, source.lines)


def _as_written(source: Source, name: str) -> dict[str, str | None]:
    data = source.data if isinstance(source.data, dict) else {}
    service = (data.get("services") or {}).get(name) or {}
    environment = service.get("environment") if isinstance(service, dict) else None
    if isinstance(environment, list):
        pairs = [str(item).partition("=") for item in environment]
        return {key: value if equals else None for key, equals, value in pairs}
    if isinstance(environment, dict):
        return {str(key): None if value is None else str(value) for key, value in environment.items()}
    return {}
