"""What every measurement is given: the stack as it is described, and one that runs, started when first asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from benchmarks.measurement import Row
from harness.drill.opening import running_stack
from harness.drill.progress import Progress
from harness.runtime.running import RunningStack
from harness.stack.stack import Stack


class Bench:
    """Measurements happen on it, one after the other.

    Args:
        stack: what is measured.
        progress: is told how it goes.
    """

    def __init__(self, stack: Stack, progress: Progress) -> None:
        self.stack = stack
        self.progress = progress
        self._open = AsyncExitStack()
        self._running: RunningStack | None = None

    async def running(self) -> RunningStack:
        """The stack that those measurements share which do not start one themselves."""
        if self._running is None:
            self._running = await self._open.enter_async_context(running_stack(self.stack, self.progress))
        return self._running

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()


Measure = Callable[[Bench], Awaitable[Sequence[Row]]]
