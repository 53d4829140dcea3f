"""CPU limit: the kernel throttles the service's control group."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence

from harness.faults.service.cpu_limit import CpuLimit
from harness.history.events import Witness
from harness.runtime.docker.container_api import EngineRefused, inspect, run_in, statistics, update
from harness.runtime.docker.limits import CPU_PERIOD_US, UNLIMITED, cpu_limit
from harness.runtime.effects.container import ContainerEffect
from harness.runtime.effects.effect import Hit, Observation

_NANO = 1_000_000_000
# A MiB takes a tenth of a millisecond or more: so much work for a whole core, and less for a smaller limit, takes
# several of the kernel's periods, and is soon over where there is no limit.
_WORK_MIB = 5000
_ATTEMPTS = 5


class CpuLimitEffect(ContainerEffect[CpuLimit]):
    """Throttled by the kernel; seen by the control group's own counter while the harness makes it work."""

    _before: Mapping[str, int] | None = None
    _wanted: Mapping[str, int] | None = None
    _throttled_before = 0
    _throttled_by_us: int | None = None

    async def switch_on(self) -> None:
        """Set the limit, in the unit in which the container has had one: the kernel takes no second."""
        container = self.container
        self._before = await cpu_limit(container)
        if "NanoCpus" in self._before:
            self._wanted = {"NanoCpus": round(self.fault.cpus * _NANO)}
        else:
            self._wanted = {"CpuPeriod": CPU_PERIOD_US, "CpuQuota": round(self.fault.cpus * CPU_PERIOD_US)}
        await update(container, self._wanted)

    async def observe_service(self) -> Observation:
        """The kernel should throttle it: the first look makes it work until it does, the others only ask."""
        if not self._throttled_by_us:
            self._throttled_before = await self._throttled()
            await self._work_until_throttled()
            self._throttled_by_us = await self._throttled() - self._throttled_before
        holds = await self._is_told(self._wanted or {})
        return Observation(
            as_expected=holds and self._throttled_by_us > 0,
            saw=f"it was throttled {self._throttled_by_us} times while the harness made it work"
            + ("" if holds else ", and the engine knows no such limit"),
        )

    async def counted(self) -> Sequence[Hit]:
        """Count how often it was throttled, without the harness's own work."""
        throttled = await self._throttled() - self._throttled_before - (self._throttled_by_us or 0)
        return (Hit(Witness.KERNEL, throttled, "times that the kernel throttled it"),) if throttled > 0 else ()

    async def switch_off(self) -> None:
        """Give it back the limit that it had."""
        if self._before is not None:
            await update(self.container, self._before)

    async def observe_healed(self) -> Observation:
        """It answers, and the same work is throttled no more where it had no limit."""
        answers = await super().observe_healed()
        if not answers.as_expected:
            return answers
        had_none = self._before is not None and self._before.get("CpuQuota") == UNLIMITED
        before = await self._throttled()
        if had_none:
            await self._work()
        throttled = await self._throttled() - before if had_none else 0
        holds = await self._is_told(self._before or {})
        return Observation(
            as_expected=holds and throttled == 0,
            saw=f"{answers.saw}; it was throttled {throttled} times after its limit was lifted",
        )

    async def _is_told(self, limits: Mapping[str, int]) -> bool:
        told = (await inspect(self.container)).host_config
        known = {"NanoCpus": told.nano_cpus, "CpuQuota": told.cpu_quota}
        return all(known.get(name, value) == value for name, value in limits.items())

    async def _throttled(self) -> int:
        return (await statistics(self.container)).cpu.throttling_data.throttled_periods

    async def _work_until_throttled(self) -> None:
        """Work, and again where a machine that is very busy gave it less than its limit: then nothing throttles it."""
        for _ in range(_ATTEMPTS):
            await self._work()
            if await self._throttled() > self._throttled_before:
                return

    async def _work(self) -> None:
        container = self.container
        count = math.ceil(min(self.fault.cpus, 1.0) * _WORK_MIB)
        work = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1M", f"count={count}"]
        at_once = math.floor(self.fault.cpus) + 1
        for said in await asyncio.gather(*(run_in(container, work) for _ in range(at_once))):
            if said.exit_code != 0:
                raise EngineRefused(f"dd in {self.target} ended with {said.exit_code}: {said.output}")
