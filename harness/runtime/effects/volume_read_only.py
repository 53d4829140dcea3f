"""Read-only volume: a volume of the service is mounted anew, without the right to write."""

from __future__ import annotations

from collections.abc import Sequence

from harness.faults.service.volume_read_only import VolumeReadOnly
from harness.runtime.docker.sidecar import NET_TOOLS_IMAGE, Shared, Sidecar
from harness.runtime.effects.effect import Observation
from harness.runtime.effects.volume import VolumeEffect
from harness.runtime.session.undo_log import UndoStep

_READ_ONLY = "Read-only file system"


class VolumeReadOnlyEffect(VolumeEffect[VolumeReadOnly]):
    """Remounted in the container's own view alone; seen by a write of the service's own user."""

    async def arm(self) -> None:
        """Start a sidecar that sees the service's processes, and may enter what they see of the file system.

        Raises:
            CannotBeDone: there is no volume at the path.
        """
        await self.require_mount()
        container = self.container
        self._sidecar = await Sidecar.start(
            container,
            NET_TOOLS_IMAGE,
            shares=Shared.PROCESSES,
            labels=self.labels,
            user="0",
            capabilities=("SYS_ADMIN", "SYS_PTRACE", "SYS_CHROOT"),
            confined=False,
        )

    async def switch_on(self) -> None:
        """Take the right to write."""
        await self._remount("ro")

    async def observe_service(self) -> Observation:
        """A write should fail for that."""
        written = await self.try_to_write()
        return Observation(
            as_expected=not written.works and _READ_ONLY in written.told,
            saw=f"a write at {self.fault.path} came to '{written.told}'",
        )

    async def switch_off(self) -> None:
        """Give it back; a service that ended meanwhile gets it with its new start."""
        if self._sidecar is not None and not await self.start_if_ended():
            await self._remount("rw")

    def switch_off_steps(self) -> Sequence[UndoStep]:
        """Give it back."""
        return (self._armed.undo_step(self._mount("rw")),)

    async def _remount(self, how: str) -> None:
        await self._armed.require(self._mount(how))

    def _mount(self, how: str) -> list[str]:
        mount = ["mount", "-o", f"remount,bind,{how}", self.fault.path]
        return ["nsenter", "--target", "1", "--mount", "--", *mount]
