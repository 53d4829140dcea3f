"""Places of this machine that services mount and may write to, and what a drill should have in their place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.init.foreign import ForeignService
from harness.stack.host_paths import HostPath, Instead, host_path_of

_DATA = re.compile(r"/var/(lib|log|cache|spool)/|data|logs?\b|state|storage|uploads?\b|backups?\b|\bdb\b")


@dataclass(frozen=True, slots=True)
class FoundMount:
    """A mount, and what is proposed in its place.

    Args:
        mount: what the file says.
        instead: what a drill should do with it.
        why: for people.
    """

    mount: HostPath
    instead: Instead
    why: str


def find_mounts(services: Mapping[str, ForeignService], project: Path) -> tuple[FoundMount, ...]:
    """Each path of this machine that a drill should not take as it is, once, with the first service that mounts it."""
    found: dict[str, FoundMount] = {}
    for service in services.values():
        for volume in service.compose.volumes:
            mount = host_path_of(service.name, volume, project)
            if mount is not None and mount.source not in found:
                found[mount.source] = _proposed(mount, project)
    return tuple(found.values())


def _proposed(mount: HostPath, project: Path) -> FoundMount:
    place = project / Path(mount.source).expanduser()
    at = f"{mount.service} mounts it at {mount.target}"
    if mount.is_engine:
        return FoundMount(mount, Instead.LEFT_OUT, f"{at}: it hands over the engine, and with it this machine")
    holds_something = place.is_file() or (place.is_dir() and any(place.iterdir()))
    if holds_something and not _DATA.search(mount.target):
        return FoundMount(mount, Instead.READ_ONLY, f"{at}, and could write to it")
    return FoundMount(mount, Instead.VOLUME, f"{at}, and would write to it: an empty volume in its place")
