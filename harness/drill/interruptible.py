"""Running a coroutine so that Ctrl-C and SIGTERM end it in order: everything it opened is closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


def run_interruptibly(main: Coroutine[object, object, Result]) -> Result:
    """Run ``main`` to its end.

    Raises:
        KeyboardInterrupt: a signal ended it; it has cleaned up.
    """

    async def guarded() -> Result:
        task = asyncio.current_task()
        assert task is not None
        # asyncio.run turns SIGINT into a cancellation; SIGTERM should be no worse.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await main
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(guarded())
