"""Memory limit: the kernel kills what wants more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from harness.faults.service.memory_limit import MemoryLimit
from harness.history.events import Witness
from harness.runtime.docker.container_api import EngineRefused, State, inspect, statistics, update
from harness.runtime.docker.limits import memory_limit
from harness.runtime.effects.container import ContainerEffect
from harness.runtime.effects.effect import Hit, Observation
from harness.runtime.service import ServiceState

_MIB = 1 << 20
_PAGE_BYTES = 4096
_STEP_BYTES = _MIB // 4
_KILLED_EXIT_CODE = 137
_KILLED_BY = "killed by the kernel, out of memory"
# A service that holds more than the limit may take up a little more while it is being limited.
_ATTEMPTS = 16


class MemoryLimitEffect(ContainerEffect[MemoryLimit]):
    """Limited by the kernel; seen by the control group's own limit and by what becomes of who exceeds it."""

    HITS_UNTIL_HEALED: ClassVar[bool] = True

    _before: Mapping[str, int] | None = None
    _limit = 0
    _failed_before = 0
    _killed_before = False
    _is_on = False

    async def arm(self) -> None:
        """Note what was before."""
        await super().arm()
        container = self.container
        self._before = await memory_limit(container)
        self._failed_before = (await statistics(container)).memory.failcnt
        self._killed_before = _was_killed((await inspect(container)).state)

    async def switch_on(self) -> None:
        """Set the limit, or the lowest that the kernel takes of a service that holds more already."""
        self._is_on = True
        try:
            await self._set(self.fault.mib * _MIB)
        except EngineRefused:
            # Version 1 of the kernel's control groups refuses a limit below what is held; version 2 kills. Held still
            # meanwhile: what it took between the look and the limit would have the kernel refuse that as well.
            await self.service.pause()
            try:
                await self._set_to_what_is_held()
            finally:
                await self.service.resume()

    async def _set_to_what_is_held(self) -> None:
        for attempt in range(_ATTEMPTS):
            held = (await statistics(self.container)).memory.usage + attempt * _STEP_BYTES
            try:
                await self._set(held // _PAGE_BYTES * _PAGE_BYTES)
            except EngineRefused:
                if held <= self.fault.mib * _MIB or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    async def _set(self, limit: int) -> None:
        await update(self.container, {"Memory": limit, "MemorySwap": limit})
        self._limit = limit

    async def observe_service(self) -> Observation:
        """It should have the limit, or have been killed for it."""
        if await self._has_ended():
            return await self._observe_its_end()
        memory = (await statistics(self.container)).memory
        # Without a control group it has ended in this very moment, or the engine limits nothing.
        if memory.limit == 0 and await self._has_ended():
            return await self._observe_its_end()
        told = f"{memory.usage / _MIB:.1f} of {memory.limit / _MIB:.1f} MiB are used, it wanted more"
        failed = memory.failcnt - self._failed_before
        return Observation(as_expected=memory.limit == self._limit, saw=f"{told} {failed} times")

    async def _has_ended(self) -> bool:
        return await self.service.state() is ServiceState.ENDED

    async def _observe_its_end(self) -> Observation:
        state = (await inspect(self.container)).state
        killed = _was_killed(state) and not self._killed_before
        how = _KILLED_BY if killed else f"not killed by the limit: exit code {state.exit_code}"
        return Observation(as_expected=killed, saw=f"{self.target} has ended, {how}")

    async def counted(self) -> Sequence[Hit]:
        """Count how often it wanted more than it had, or that it was killed for that; not what was so before."""
        container = self.container
        if not self._killed_before and _was_killed((await inspect(container)).state):
            return (Hit(Witness.KERNEL, 1, f"of its processes {_KILLED_BY}"),)
        failed = (await statistics(container)).memory.failcnt - self._failed_before
        wanted = "times that it wanted more memory than it had"
        return (Hit(Witness.KERNEL, failed, wanted),) if failed > 0 else ()

    async def switch_off(self) -> None:
        """Give it back the limit that it had, and start it if it was killed."""
        if self._before is None or not self._is_on:
            return
        await update(self.container, self._before)
        await self.start_if_ended()

    async def observe_healed(self) -> Observation:
        """It answers, and the kernel's limit is no longer ours."""
        answers = await super().observe_healed()
        limit = (await statistics(self.container)).memory.limit
        return Observation(
            as_expected=answers.as_expected and limit != self._limit,
            saw=f"{answers.saw}; its limit is {limit / _MIB:.0f} MiB",
        )


def _was_killed(state: State) -> bool:
    # Of a process that is not the container's first, only the flag tells.
    return state.oom_killed or state.exit_code == _KILLED_EXIT_CODE
