"""A service is started again after its own end, at the pace of Docker's engine, whichever runtime it runs on.

The harness does it itself on both: an engine that does it does not tell when, and would do it in the middle of a fault
that holds the service down.

Source: https://github.com/moby/moby/blob/v28.0.0/daemon/internal/restartmanager/restartmanager.go (the pace), and
https://docs.docker.com/engine/containers/start-containers-automatically/
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from harness.errors import HarnessError, StartFailed
from harness.stack.restart_policy import RestartPolicy

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 60.0
# One that ran for so long has not failed at its start: its next restart waits no longer than the first.
_RAN_WELL_S = 10.0


class Unit(Protocol):
    """A service that can be started again and again."""

    @property
    def runs(self) -> bool:
        """Whether it was launched, and has not ended since."""

    async def launch(self) -> None:
        """Start it; whether it is ready is another question."""

    async def launch_again(self) -> None:
        """Start it after its own end, or wait until the engine that restarts it has done so."""

    async def until_ready(self) -> object:
        """Wait until it is ready, after its last launch."""

    async def ended(self) -> int | None:
        """Wait for the end of its last launch: its exit code, or None when the engine cannot tell any more."""


class Pace:
    """How long each restart of one service waits.

    Args:
        policy: after which ends there is one.
    """

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._so_far = 0
        self._delay_s = 0.0

    def delay_s(self, returncode: int, ran_s: float) -> float | None:
        """How long the restart after an end waits, in seconds; None when there is none.

        Args:
            returncode: how the service ended.
            ran_s: how long it had run, in seconds.
        """
        if not self._policy.wants(returncode, self._so_far):
            return None
        self._so_far += 1
        again_soon = self._delay_s and ran_s < _RAN_WELL_S
        self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S) if again_soon else _FIRST_DELAY_S
        return self._delay_s


def _unheard() -> None:
    return


class KeptUp:
    """Brings one service up, tells of its end, and starts it again as its policy has it.

    Args:
        unit: the service.
        policy: after which ends it is started again.
        within_s: how long it may end and be started again before it is ready for the first time, in seconds.
        on_end: is told when it ends by itself, with its exit code, or None when the engine cannot tell any more.
        on_restarted: is told when it is ready again after such an end, and how many seconds that took.
    """

    def __init__(
        self,
        unit: Unit,
        policy: RestartPolicy,
        within_s: float,
        *,
        on_end: Callable[[int | None], object],
        on_restarted: Callable[[float], object],
    ) -> None:
        self._unit = unit
        self._policy = policy
        self._within_s = within_s
        self._on_end = on_end
        self._on_restarted = on_restarted
        self._watcher: asyncio.Task[None] | None = None

    async def bring_up(self, on_launched: Callable[[], object] = _unheard) -> float:
        """Start it unless it runs, wait until it is ready, and watch it from then on.

        Args:
            on_launched: is told of each launch, before it is ready.

        Returns:
            How long it took, in seconds.

        Raises:
            StartFailed: it ended before it was ready, and its policy does not have it started again.
            DeadlineExceeded: it was not ready in time.
        """
        await self.unwatch()
        pace, began_s = Pace(self._policy), time.monotonic()
        while True:
            launched_s = time.monotonic()
            try:
                if not self._unit.runs:
                    await self._unit.launch()
                on_launched()
                await self._unit.until_ready()
            except StartFailed:
                code = None if self._unit.runs else await self._unit.ended()
                delay_s = None if code is None else pace.delay_s(code, time.monotonic() - launched_s)
                if delay_s is None or time.monotonic() + delay_s - began_s > self._within_s:
                    raise
                await asyncio.sleep(delay_s)
            else:
                break
        self.watch()
        return time.monotonic() - began_s

    def watch(self) -> None:
        """Watch one that runs, without having started it."""
        self._watcher = asyncio.create_task(self._watch())

    def release(self) -> None:
        """Watch it no longer: its next end is no news, and no restart follows."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def unwatch(self) -> None:
        """The same, and wait until a restart that has begun is launched."""
        self.release()
        if self._watcher is not None:
            await asyncio.wait([self._watcher])
            self._watcher = None

    async def _watch(self) -> None:
        pace, launched_s = Pace(self._policy), time.monotonic()
        while True:
            code = await self._unit.ended()
            ended_s = time.monotonic()
            self._on_end(code)
            delay_s = None if code is None else pace.delay_s(code, ended_s - launched_s)
            if delay_s is None:
                return
            await asyncio.sleep(delay_s)
            launched_s = time.monotonic()
            try:
                await self._launch()
                await self._unit.until_ready()
            except HarnessError:
                continue  # it has ended again, and is told so; or it runs, and is not ready, which is no restart
            self._on_restarted(time.monotonic() - ended_s)

    async def _launch(self) -> None:
        """Launch it whole, even when cancelled meanwhile: what was only half started would be known to none."""
        order = asyncio.ensure_future(self._unit.launch_again())
        try:
            await asyncio.shield(order)
        except asyncio.CancelledError:
            await asyncio.gather(order, return_exceptions=True)
            raise
