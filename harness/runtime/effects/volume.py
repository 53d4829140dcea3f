"""A volume of a service: whether the service can write there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from harness.faults.service.disk_full import DiskFull
from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.runtime.docker.container_api import inspect, run_in
from harness.runtime.docker.sidecar import Sidecar
from harness.runtime.effects.container import ContainerEffect
from harness.runtime.effects.effect import CannotBeDone, Observation
from harness.runtime.service import ServiceState

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


class VolumeEffect(ContainerEffect[VolumeFaultT]):
    """A fault of one volume: a sidecar does it, and the service's own write tells whether it is gone."""

    _sidecar: Sidecar | None = None

    async def require_mount(self) -> None:
        """See to it that a volume is mounted at the fault's path, and may be written.

        Raises:
            CannotBeDone: there is none; the message names those that there are.
        """
        mounts = (await inspect(self.container)).mounts
        wanted = str(PurePosixPath(self.fault.path))
        found = next((mount for mount in mounts if str(PurePosixPath(mount.destination)) == wanted), None)
        if found is None:
            known = ", ".join(mount.destination for mount in mounts) or "none"
            raise CannotBeDone(f"nothing is mounted at {self.fault.path} of {self.target}; there are: {known}")
        if not found.writable:
            raise CannotBeDone(
                f"{self.fault.path} of {self.target} is read-only already; name the service that writes there"
            )

    async def try_to_write(self) -> Written:
        """Write a few bytes as the service itself would, and take them away again."""
        if await self.service.state() is not ServiceState.RUNNING:
            return Written(works=False, told=f"{self.target} does not run")
        probe = str(PurePosixPath(self.fault.path) / _PROBE)
        said = await run_in(self.container, ["dd", "if=/dev/zero", f"of={probe}", "bs=64k", "count=1", "conv=fsync"])
        if said.exit_code == 0:
            await run_in(self.container, ["rm", "-f", probe])
        return Written(works=said.exit_code == 0, told=said.output.splitlines()[0] if said.output else "")

    async def observe_healed(self) -> Observation:
        """It answers, and can write."""
        answers = await super().observe_healed()
        if not answers.as_expected:
            return answers
        written = await self.try_to_write()
        return Observation(as_expected=written.works, saw=f"{answers.saw}; a write came to '{written.told}'")

    async def disarm(self) -> None:
        """Remove the sidecar."""
        if self._sidecar is not None:
            await self._sidecar.remove()
            self._sidecar = None

    @property
    def _armed(self) -> Sidecar:
        assert self._sidecar is not None, "a fault is armed before it is switched on"
        return self._sidecar
