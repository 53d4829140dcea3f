"""How a service runs as a container: Compose's own keys, read into what an engine is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Build:
    """How the service's image is made.

    Args:
        context: the directory that is sent to the engine.
        dockerfile: the Dockerfile, as a path in the context.
        args: build arguments.
        target: the stage that is built, or None for the last.
    """

    context: Path
    dockerfile: str = "Dockerfile"
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume of the compose file.

    Args:
        driver: the engine's volume driver.
        options: the driver's, as in ``{type: tmpfs, device: tmpfs, o: size=64m}``.
    """

    driver: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """A volume of the compose file, by its name there; None for an anonymous one."""

    volume: str | None
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class BindMount:
    """A file or directory of this machine, as an absolute path."""

    source: Path
    target: str
    read_only: bool = False


Mount = VolumeMount | BindMount


@dataclass(frozen=True, slots=True)
class Limits:
    """What a container may use; None where the engine sets no limit.

    Args:
        cpus: cores.
        memory_bytes: memory.
        pids: processes and threads.
        shm_bytes: shared memory.
    """

    cpus: float | None = None
    memory_bytes: int | None = None
    pids: int | None = None
    shm_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """Everything about a service that its engine needs to know, but for networks, which the harness lays itself.

    Args:
        image: the image's name, as in ``postgres:18``.
        build: how the image is made, when the file says so.
        command: in the place of the image's own; None leaves that.
        entrypoint: in the place of the image's own; None leaves that.
        user: as whom it runs; None leaves that to the image.
        working_dir: where its command runs; None leaves that to the image.
        hostname: its own name for itself; None for one that the engine makes up.
        init: whether an init process reaps its orphans.
        read_only: whether its root file system is.
        mounts: volumes and files of this machine.
        tmpfs: mount point -> options, as in ``size=64m``.
        limits: what it may use.
        health: its health check: ``CMD`` and a command's words, or ``CMD-SHELL`` and a shell's line; None without one.
        ports: every port on which it says that it listens (``ports``, ``expose``).
        cap_drop: capabilities that it lacks.
        cap_add: capabilities that it has besides the engine's usual ones.
        security_opt: as the engine takes them, for example ``no-new-privileges:true``.
        sysctls: kernel settings of its own namespaces.
        extra_hosts: name -> address, beside those that the engine knows.
        labels: its own labels.
        stop_signal: what asks it to end; None leaves that to the image.
        stop_grace_s: seconds that it has to end by itself.
    """

    image: str
    build: Build | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    init: bool = False
    read_only: bool = False
    mounts: tuple[Mount, ...] = ()
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    health: tuple[str, ...] | None = None
    ports: tuple[int, ...] = ()
    cap_drop: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str | None = None
    stop_grace_s: float = 10.0
