"""The harness watches itself: whether it stood still, for then nothing that was timed can be blamed on the system."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from harness.history.history import HistoryWriter
from harness.history.measurements import HarnessStalled

STALLED_S = 3.0
TICK_S = 0.5


def clock_s() -> float:
    """Seconds that have passed, those in which the machine was asleep among them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class StallWatch:
    """Notes every gap of more than three seconds between two looks at the clock.

    A stopped process, a machine that was asleep, and an event loop that one call has blocked look the same from here,
    and mean the same: the harness neither saw nor did anything meanwhile.

    Args:
        history: where a gap is noted.
        clock: gives the seconds that have passed.
    """

    def __init__(self, history: HistoryWriter, clock: Callable[[], float] = clock_s) -> None:
        self._history = history
        self._clock = clock
        self._looked_at_s = clock()

    def look(self) -> None:
        """Look at the clock."""
        now_s = self._clock()
        gap_s, self._looked_at_s = now_s - self._looked_at_s, now_s
        if gap_s > STALLED_S:
            self._history.add(HarnessStalled(took_s=round(gap_s, 3)))


@asynccontextmanager
async def looking(*looks: Callable[[], object]) -> AsyncIterator[None]:
    """Look twice a second while the block lasts, and once more at its end."""

    async def look_on() -> None:
        while True:
            # Its timer is due before any deadline that ran out in a gap, so the gap stands first in the history.
            await asyncio.sleep(TICK_S)
            for look in looks:
                look()

    task = asyncio.create_task(look_on(), name="watch the harness itself")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for look in looks:
            look()
