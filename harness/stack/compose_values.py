"""The several ways in which Compose lets one value be written, each read into one.

Source: https://docs.docker.com/reference/compose-file/services/
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated

from pydantic import BeforeValidator, Field

from harness.stack.restart_policy import RestartPart
from harness.stack.units import seconds, size_bytes
from harness.validated import Strict

Scalar = str | int | float | bool | None


def as_text(value: object) -> object:
    """A scalar as Compose hands it on; anything else unchanged, for pydantic to refuse."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _pairs(value: object) -> object:
    """A mapping, or a list of ``KEY=value``; None is a value that is not given."""
    if isinstance(value, list):
        split = [str(item).partition("=") for item in value]
        return {key: text if equals else None for key, equals, text in split}
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    return value


def _closed_pairs(value: object) -> object:
    """The same, where a value that is not given is empty."""
    pairs = _pairs(value)
    return {key: "" if item is None else item for key, item in pairs.items()} if isinstance(pairs, dict) else pairs


def _words(value: object) -> object:
    """A command, as a list or as a line that is split as a shell would."""
    if isinstance(value, str):
        return shlex.split(value)
    return [as_text(item) for item in value] if isinstance(value, list) else value


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _dependencies(value: object) -> object:
    """A list of names, or a mapping with conditions."""
    return {name: {"condition": "service_started"} for name in value} if isinstance(value, list) else value


def _ports(value: object) -> object:
    """The ports on which the container listens: the last part of the short form, ``target`` of the long one."""
    if not isinstance(value, list):
        return value
    found: list[int] = []
    for item in value:
        text = str(item.get("target", "") if isinstance(item, dict) else item)
        protocol = str(item.get("protocol", "tcp")) if isinstance(item, dict) else text.partition("/")[2] or "tcp"
        match = re.fullmatch(r"(?:.*:)?(\d+)(?:-(\d+))?(?:/\w+)?", text)
        if match is None or protocol != "tcp":
            raise ValueError(f"a TCP port is written like 8000 or 127.0.0.1:8000:8000, not {item!r}")
        first = int(match[1])
        found += range(first, int(match[2] or first) + 1)
    return found


def _health_test(value: object) -> object:
    return ["CMD-SHELL", value] if isinstance(value, str) else value


def _tmpfs(value: object) -> object:
    """Mount points with their options: ``/tmp:size=64m``."""
    if isinstance(value, dict):
        return value
    parts = [str(item).partition(":") for item in (value if isinstance(value, list) else [value])]
    return {target: options for target, _, options in parts}


def _hosts(value: object) -> object:
    """Host names with their addresses: ``name:address`` or ``name=address``."""
    if not isinstance(value, list):
        return value
    split = [re.split(r"[:=]", str(item), maxsplit=1) for item in value]
    return {parts[0]: parts[-1] for parts in split}


Text = Annotated[str, BeforeValidator(as_text)]
Hosts = Annotated[dict[str, str], BeforeValidator(_hosts)]
Environment = Annotated[dict[str, str], BeforeValidator(_closed_pairs)]
OpenEnvironment = Annotated[dict[str, str | None], BeforeValidator(_pairs)]
Words = Annotated[list[str], BeforeValidator(_words)]
Listed = Annotated[list[str], BeforeValidator(_listed)]
Ports = Annotated[list[int], BeforeValidator(_ports)]
Tmpfs = Annotated[dict[str, str], BeforeValidator(_tmpfs)]
Seconds = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
Bytes = Annotated[int, BeforeValidator(size_bytes), Field(gt=0)]


class Dependency(Strict):
    """What a service waits for in another before it starts."""

    condition: str = Field(default="service_started", pattern=r"^service_(started|healthy|completed_successfully)$")
    restart: bool = False
    required: bool = True


Dependencies = Annotated[dict[str, Dependency], BeforeValidator(_dependencies)]


class HealthPart(Strict):
    """A health check: the harness runs its test as often as it asks any service; the rest is left to Compose."""

    test: Annotated[list[str], BeforeValidator(_health_test)] = Field(default_factory=list)
    interval: Seconds = 30.0
    timeout: Seconds = 30.0
    retries: int = Field(default=3, ge=1)
    start_period: Seconds = 0.0
    start_interval: Seconds | None = None
    disable: bool = False


class BuildPart(Strict):
    """How an image is built."""

    context: str
    dockerfile: str = "Dockerfile"
    args: OpenEnvironment = Field(default_factory=dict)
    target: str | None = None
    labels: OpenEnvironment = Field(default_factory=dict)
    secrets: list[object] = Field(default_factory=list)


def _build(value: object) -> object:
    return {"context": value} if isinstance(value, str) else value


Build = Annotated[BuildPart, BeforeValidator(_build)]


class ResourceLimits(Strict):
    """``deploy.resources.limits``."""

    cpus: float | None = Field(default=None, gt=0)
    memory: Bytes | None = None
    pids: int | None = Field(default=None, gt=0)


class Resources(Strict):
    """``deploy.resources``; reservations are a scheduler's business."""

    limits: ResourceLimits = ResourceLimits()
    reservations: dict[str, object] = Field(default_factory=dict)


class Deploy(Strict):
    """``deploy``, as far as one machine is concerned."""

    resources: Resources = Resources()
    restart_policy: RestartPart | None = None
    replicas: int = Field(default=1, ge=1, le=1)


class VolumePart(Strict):
    """One mount in its long form.

    Args:
        type: what is mounted.
        source: the volume's name, or a path; empty for an anonymous volume and for a tmpfs.
        target: where.
        read_only: whether the container may not write to it.
        tmpfs: its size, for a tmpfs.
    """

    type: str = Field(pattern=r"^(volume|bind|tmpfs)$")
    source: str = ""
    target: str
    read_only: bool = False
    tmpfs: dict[str, str | int] = Field(default_factory=dict)
    bind: dict[str, object] = Field(default_factory=dict)
    volume: dict[str, object] = Field(default_factory=dict)


_MODES = {"ro", "rw", "z", "Z", "cached", "delegated", "consistent", "nocopy"}


def _volume(value: object) -> object:
    """The short form: ``[SOURCE:]TARGET[:MODE]``; a source that begins with ``.``, ``/`` or ``~`` is a path."""
    if not isinstance(value, str):
        return value
    *head, last = value.split(":")
    modes = set(last.split(",")) if head and set(last.split(",")) <= _MODES else set[str]()
    *source, target = [*head] if modes else [*head, last]
    if len(source) > 1 or not target.startswith("/"):
        raise ValueError(f"a volume is written like name:/path, ./file:/path:ro or /path, not {value!r}")
    named = source[0] if source else ""
    kind = "bind" if named.startswith((".", "/", "~")) else "volume"
    return {"type": kind, "source": named, "target": target, "read_only": "ro" in modes}


Volume = Annotated[VolumePart, BeforeValidator(_volume)]
