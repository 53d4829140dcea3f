"""Compose's keys of a service, read into what its container is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import StackError
from harness.stack.compose import ComposeFile, ComposeService
from harness.stack.compose_values import HealthPart, VolumePart
from harness.stack.container import BindMount, Build, Container, Limits, Mount, Volume, VolumeMount
from harness.stack.host_paths import instead_of
from harness.stack.source import Source


def container_of(source: Source, name: str, service: ComposeService, host_paths: Mapping[str, str]) -> Container | None:
    """What a service is as a container; None when the file names neither an image nor how to build one.

    Args:
        source: the file.
        name: the service.
        service: what the file says of it.
        host_paths: what a drill does with paths of this machine, where the file says so.

    Raises:
        StackError: a mount names a volume that the file does not declare.
    """
    if service.image is None and service.build is None:
        return None
    project = source.path.resolve().parent
    limits = service.deploy.resources.limits
    mounts = [_mount(source, name, index, volume, host_paths) for index, volume in enumerate(service.volumes)]
    return Container(
        # As Compose names an image that it builds and that the file does not name.
        image=service.image or f"{_project_name(source)}-{name}",
        build=_build(service, project),
        command=None if service.command is None else tuple(service.command),
        entrypoint=None if service.entrypoint is None else tuple(service.entrypoint),
        user=service.user,
        working_dir=service.working_dir,
        hostname=service.hostname,
        init=service.init,
        read_only=service.read_only,
        mounts=tuple(mount for mount in mounts if mount is not None),
        tmpfs=service.tmpfs | _tmpfs_mounts(service),
        limits=Limits(
            cpus=service.cpus or limits.cpus,
            memory_bytes=service.mem_limit or limits.memory,
            pids=service.pids_limit or limits.pids,
            shm_bytes=service.shm_size,
        ),
        health=None if service.healthcheck is None else _health(service.healthcheck),
        ports=tuple(dict.fromkeys([*service.ports, *service.expose])),
        cap_drop=tuple(service.cap_drop),
        cap_add=tuple(service.cap_add),
        security_opt=tuple(service.security_opt),
        sysctls=service.sysctls,
        extra_hosts=service.extra_hosts,
        labels=service.labels,
        stop_signal=service.stop_signal,
        stop_grace_s=service.stop_grace_period,
    )


def volumes_of(compose: ComposeFile) -> dict[str, Volume]:
    """The named volumes of the file."""
    return {
        name: Volume() if volume is None else Volume(volume.driver, volume.driver_opts)
        for name, volume in compose.volumes.items()
    }


def _project_name(source: Source) -> str:
    name = source.data.get("name") if isinstance(source.data, dict) else None
    return str(name or source.path.resolve().parent.name).lower()


def _build(service: ComposeService, project: Path) -> Build | None:
    if service.build is None:
        return None
    args = {key: value for key, value in service.build.args.items() if value is not None}
    return Build((project / service.build.context).resolve(), service.build.dockerfile, args, service.build.target)


def _health(part: HealthPart) -> tuple[str, ...] | None:
    if part.disable or not part.test or part.test == ["NONE"]:
        return None
    return tuple(part.test)


def _mount(source: Source, name: str, index: int, volume: VolumePart, host_paths: Mapping[str, str]) -> Mount | None:
    if volume.type == "tmpfs":
        return None
    if volume.type == "bind":
        path = (source.path.resolve().parent / Path(volume.source).expanduser()).resolve()
        return instead_of(BindMount(path, volume.target, read_only=volume.read_only), volume.source, host_paths)
    declared = source.data.get("volumes") if isinstance(source.data, dict) else None
    known = declared if isinstance(declared, dict) else {}
    if volume.source and volume.source not in known:
        where = source.where(("services", name, "volumes", index))
        there_are = ", ".join(known) or "none"
        raise StackError(f"{where}: {volume.source!r} is not a volume of this file; there are: {there_are}")
    return VolumeMount(volume.source or None, volume.target, read_only=volume.read_only)


def _tmpfs_mounts(service: ComposeService) -> dict[str, str]:
    mounts = [volume for volume in service.volumes if volume.type == "tmpfs"]
    return {
        volume.target: ",".join(f"{key}={value}" for key, value in volume.tmpfs.items() if key in {"size", "mode"})
        for volume in mounts
    }
