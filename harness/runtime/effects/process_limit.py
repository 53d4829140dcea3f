"""Process limit: the kernel lets the service start nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.service.process_limit import ProcessLimit
from harness.runtime.docker.container_api import EngineRefused, run_in, statistics, update
from harness.runtime.docker.limits import process_limit
from harness.runtime.effects.container import ContainerEffect
from harness.runtime.effects.effect import Observation

# It starts another process: that the engine can start one there tells nothing, for it does so from outside.
_PROBE = ("timeout", "5", "true")


class ProcessLimitEffect(ContainerEffect[ProcessLimit]):
    """Limited by the kernel; seen by a process that cannot be started in the container, and by the kernel's count."""

    _before: Mapping[str, int] | None = None

    async def switch_on(self) -> None:
        """Set the limit."""
        container = self.container
        self._before = await process_limit(container)
        await update(container, {"PidsLimit": self.fault.pids})

    async def observe_service(self) -> Observation:
        """The kernel should have the limit, it should be reached, and a new process should not start."""
        pids = (await statistics(self.container)).pids
        started = await self._starts()
        told = f"{pids.current} processes and threads of {pids.limit or 'any number'}"
        return Observation(
            as_expected=pids.limit == self.fault.pids and not started,
            saw=f"{told}; another one {'started' if started else 'could not be started'}",
        )

    async def switch_off(self) -> None:
        """Give it back the limit that it had."""
        if self._before is not None:
            await update(self.container, self._before)

    async def observe_healed(self) -> Observation:
        """It answers, and a new process starts in it."""
        answers = await super().observe_healed()
        started = answers.as_expected and await self._starts()
        return Observation(
            as_expected=started, saw=f"{answers.saw}; a process in it {'starts' if started else 'does not start'}"
        )

    async def _starts(self) -> bool:
        try:
            return (await run_in(self.container, list(_PROBE))).exit_code == 0
        except EngineRefused:
            return False
