"""A volume of a service: how much room is left, and whether the service can write there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from harness.faults.service.disk_full import DiskFull
from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.runtime.docker.container_api import MountPoint, container_of, inspect, run_in
from harness.runtime.docker.sidecar import Sidecar
from harness.runtime.effects.effect import CannotBeDone, Effect, Look
from harness.runtime.service import RunningService, ServiceState

_PROBE = ".harness-probe"

VolumeFaultT = TypeVar("VolumeFaultT", DiskFull, VolumeReadOnly)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a few bytes that the service's own user wrote.

    Args:
        works: whether they were written.
        told: what the kernel said, in plain English.
    """

    works: bool
    told: str


async def mount_of(service: RunningService, path: str) -> MountPoint:
    """The volume that is mounted at a path of a service's container.

    Raises:
        CannotBeDone: there is none; the message names those that there are.
    """
    mounts = (await inspect(container_of(service))).mounts
    wanted = str(PurePosixPath(path))
    found = next((mount for mount in mounts if str(PurePosixPath(mount.destination)) == wanted), None)
    if found is None:
        known = ", ".join(mount.destination for mount in mounts) or "none"
        raise CannotBeDone(f"nothing is mounted at {path} of {service.name}; there are: {known}")
    if not found.writable:
        raise CannotBeDone(f"{path} of {service.name} is read-only already; name the service that writes there")
    return found


async def try_to_write(service: RunningService, path: str) -> Written:
    """Write a few bytes as the service itself would, and take them away again."""
    container = container_of(service)
    if await service.state() is not ServiceState.RUNNING:
        return Written(works=False, told=f"{service.name} does not run")
    probe = str(PurePosixPath(path) / _PROBE)
    said = await run_in(container, ["dd", "if=/dev/zero", f"of={probe}", "bs=64k", "count=1", "conv=fsync"])
    if said.exit_code == 0:
        await run_in(container, ["rm", "-f", probe])
    return Written(works=said.exit_code == 0, told=said.output.splitlines()[0] if said.output else "")


class VolumeEffect(Effect[VolumeFaultT], Generic[VolumeFaultT]):
    """A fault of one volume: a sidecar does it, and the service's own write tells whether it is gone."""

    _sidecar: Sidecar | None = None

    async def look_healed(self) -> Look:
        """It answers, and can write."""
        answers = await super().look_healed()
        if not answers.as_expected:
            return answers
        written = await try_to_write(self.target.service, self.fault.path)
        return Look(as_expected=written.works, saw=f"{answers.saw}; a write came to '{written.told}'")

    async def disarm(self) -> None:
        """Remove the sidecar."""
        if self._sidecar is not None:
            await self._sidecar.remove()
            self._sidecar = None

    @property
    def _armed(self) -> Sidecar:
        assert self._sidecar is not None, "a fault is armed before it is switched on"
        return self._sidecar
