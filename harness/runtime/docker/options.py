"""What a service is as a container, in the SDK's terms."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from docker.types import Mount

from harness.stack.container import BindMount, Container, VolumeMount

_NANO = 1_000_000_000


def options_of(container: Container, volume_name: Callable[[str], str]) -> dict[str, Any]:
    """Everything but image, command, environment, tmpfs, ports, labels and networks.

    Args:
        container: the service's container.
        volume_name: gives the engine's name of a volume of the compose file.
    """
    given: Mapping[str, Any] = {
        "entrypoint": list(container.entrypoint) if container.entrypoint is not None else None,
        "user": container.user,
        "working_dir": container.working_dir,
        "hostname": container.hostname,
        "init": container.init or None,
        "read_only": container.read_only or None,
        "mounts": [_mount(mount, volume_name) for mount in container.mounts],
        "nano_cpus": int(container.limits.cpus * _NANO) if container.limits.cpus is not None else None,
        "mem_limit": container.limits.memory_bytes,
        # No swap besides: a limit that only slows down is no limit.
        "memswap_limit": container.limits.memory_bytes,
        "pids_limit": container.limits.pids,
        "shm_size": container.limits.shm_bytes,
        "cap_drop": list(container.cap_drop),
        "cap_add": list(container.cap_add),
        "security_opt": list(container.security_opt),
        "sysctls": dict(container.sysctls),
        "extra_hosts": dict(container.extra_hosts),
        "stop_signal": container.stop_signal,
    }
    return {name: value for name, value in given.items() if value not in (None, [], {})}


def _mount(mount: VolumeMount | BindMount, volume_name: Callable[[str], str]) -> Mount:
    if isinstance(mount, BindMount):
        return Mount(mount.target, str(mount.source), type="bind", read_only=mount.read_only)
    # An anonymous volume gets a name, too: the engine would not label it, and nobody could tell whose it is.
    name = volume_name(mount.volume or f"anonymous-{uuid.uuid4().hex[:8]}")
    return Mount(mount.target, name, type="volume", read_only=mount.read_only)
