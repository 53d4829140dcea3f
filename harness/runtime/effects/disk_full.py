"""Disk full: a volume of the service is filled to its last byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from harness.errors import NO_ROOM
from harness.faults.service.disk_full import DiskFull
from harness.runtime.docker.sidecar import Shared, Sidecar
from harness.runtime.effects.effect import CannotBeDone, Observation
from harness.runtime.effects.volume import VolumeEffect
from harness.runtime.session.undo_log import UndoStep

_FILL = ".harness-fill"
_MIB = 1 << 20
_MAX_FREE_MIB = 512


class DiskFullEffect(VolumeEffect[DiskFull]):
    """Filled by a sidecar that shares the service's volumes; seen by a write of the service's own user."""

    _is_on = False

    async def arm(self) -> None:
        """Start the sidecar, of the service's own image: it has the right user, and surely is there.

        Raises:
            CannotBeDone: there is no volume at the path, or so much room that filling it would fill this machine.
        """
        await self.require_mount()
        container = self.container
        self._sidecar = await Sidecar.start(
            container,
            str(container.attrs["Config"]["Image"]),
            shares=Shared.VOLUMES,
            labels=self.labels,
            user=str(container.attrs["Config"]["User"]) or None,
        )
        free_mib = await self._free_bytes() // _MIB
        if free_mib > _MAX_FREE_MIB:
            raise CannotBeDone(
                f"{self.fault.path} of {self.target} has {free_mib} MiB free, too much to fill: give it a size "
                "(driver_opts: {type: tmpfs, device: tmpfs, o: size=64m})"
            )

    async def switch_on(self) -> None:
        """Fill it."""
        self._is_on = True
        await self._fill()

    async def observe_service(self) -> Observation:
        """There should be no room, and a write should fail for that; what was freed meanwhile is filled again."""
        if self._is_on and await self._free_bytes():
            await self._fill()
        free_bytes = await self._free_bytes()
        written = await self.try_to_write()
        return Observation(
            as_expected=free_bytes == 0 and not written.works and NO_ROOM in written.told,
            saw=f"{free_bytes} bytes are free at {self.fault.path}, and a write came to '{written.told}'",
        )

    async def switch_off(self) -> None:
        """Make room, and start the service if it ended for want of it."""
        if self._sidecar is not None:
            await self._sidecar.run(self._make_room)
        await self.start_if_ended()

    def switch_off_steps(self) -> Sequence[UndoStep]:
        """Make room."""
        return (self._armed.undo_step(self._make_room),)

    @property
    def _make_room(self) -> list[str]:
        return ["rm", "-f", self._file]

    @property
    def _file(self) -> str:
        return str(PurePosixPath(self.fault.path) / _FILL)

    async def _free_bytes(self) -> int:
        blocks, size = (await self._armed.require(["stat", "-f", "-c", "%a %S", self.fault.path])).split()
        return int(blocks) * int(size)

    async def _fill(self) -> None:
        for size in ("1M", "4k"):
            said = await self._armed.run(
                ["dd", "if=/dev/zero", f"of={self._file}", f"bs={size}", "oflag=append", "conv=notrunc"]
            )
            if NO_ROOM not in said.output:
                raise CannotBeDone(f"{self.fault.path} of {self.target} cannot be filled: {said.output}")
