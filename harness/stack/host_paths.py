"""Files and directories of this machine that a compose file mounts: a drill writes to none unless it is told to.

A read-only file is harmless, and goes in as it is. What may be written to is not, and neither is an engine's socket, or
a directory with one in it: mounted read-only as well, it hands over the engine, and with it this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from harness.errors import StackError
from harness.stack.compose import ComposeFile
from harness.stack.compose_values import VolumePart
from harness.stack.container import BindMount, Mount, VolumeMount
from harness.stack.source import Source

_SOCKETS = ("docker.sock", "podman/podman.sock", "containerd/containerd.sock")
_RUN = (Path("/run"), Path("/var/run"))


class Instead(StrEnum):
    """What a drill does with a path of this machine."""

    VOLUME = "volume"
    READ_ONLY = "read-only"
    LEFT_OUT = "left-out"
    AS_IT_IS = "as-it-is"


@dataclass(frozen=True, slots=True)
class HostPath:
    """A mount of this machine that a drill does not take as it is without being told to.

    Args:
        service: whose it is.
        source: the path, as the file writes it.
        target: where the service finds it.
        is_engine: whether an engine's socket is there.
    """

    service: str
    source: str
    target: str
    is_engine: bool

    def __str__(self) -> str:
        if self.is_engine:
            return (
                f"{self.source} hands the engine, and with it this machine, to {self.service}; say "
                f"x-harness: {{host_paths: {{{self.source}: left-out}}}}, or as-it-is if that is what you want"
            )
        return (
            f"{self.source} is a place of this machine, and a drill of {self.service} would write to it; say "
            f"x-harness: {{host_paths: {{{self.source}: volume}}}} for an empty volume of the drill's own, or "
            "read-only, or as-it-is if that is what you want"
        )


def host_path_of(service: str, volume: VolumePart, project: Path) -> HostPath | None:
    """What of a mount a drill has to be told; None where it is harmless.

    Args:
        service: whose it is.
        volume: the mount.
        project: the directory of the compose file.
    """
    if volume.type != "bind":
        return None
    is_engine = _holds_a_socket((project / Path(volume.source).expanduser()).absolute())
    if volume.read_only and not is_engine:
        return None
    return HostPath(service, volume.source, volume.target, is_engine)


def refusals_of(source: Source, compose: ComposeFile) -> tuple[str, ...]:
    """Each mount that the file does not say what to do with, as a line that names it and says what to do.

    Raises:
        StackError: ``x-harness.host_paths`` names what no service mounts.
    """
    told = compose.harness.host_paths
    mounted = {volume.source for each in compose.services.values() for volume in each.volumes if volume.type == "bind"}
    for path in told:
        if path not in mounted:
            there_are = ", ".join(sorted(mounted)) or "none"
            where = source.where(("x-harness", "host_paths", path))
            raise StackError(f"{where}: no service mounts it; paths of this machine: {there_are}")
    return tuple(_refusals(source, compose))


def _refusals(source: Source, compose: ComposeFile) -> Iterator[str]:
    project = source.path.resolve().parent
    for name, service in compose.services.items():
        for index, volume in enumerate(service.volumes):
            found = host_path_of(name, volume, project)
            if found is not None and not _is_told(found, compose.harness.host_paths):
                yield f"{source.where(('services', name, 'volumes', index))}: {found}"


def _is_told(found: HostPath, told: Mapping[str, str]) -> bool:
    # A socket that is mounted read-only takes orders all the same.
    return found.source in told and not (found.is_engine and told[found.source] == Instead.READ_ONLY)


def instead_of(mount: BindMount, written: str, told: Mapping[str, str]) -> Mount | None:
    """What a drill mounts in the place of a path of this machine; None for nothing."""
    match Instead(told.get(written, Instead.AS_IT_IS)):
        case Instead.VOLUME:
            return VolumeMount(f"in-place-of-{_slug(written)}", mount.target, read_only=mount.read_only)
        case Instead.READ_ONLY:
            return replace(mount, read_only=True)
        case Instead.LEFT_OUT:
            return None
        case Instead.AS_IT_IS:
            return mount


def _slug(path: str) -> str:
    return "".join(each if each.isalnum() else "-" for each in path.lower()).strip("-") or "root"


def _holds_a_socket(path: Path) -> bool:
    if path.suffix == ".sock" or path.is_socket():
        return True
    sockets = [run / name for run in _RUN for name in _SOCKETS]
    return any(socket.is_relative_to(place) for socket in sockets for place in (path, path.resolve()))
