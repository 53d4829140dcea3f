"""Running a coroutine so that Ctrl-C, SIGTERM and SIGHUP end it in order: everything it opened is closed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")
# What a user, a scheduler of jobs, and a terminal that goes away send.
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def run_interruptibly(main: Coroutine[object, object, Result]) -> Result:
    """Run ``main`` to its end.

    Raises:
        KeyboardInterrupt: a signal ended it, which its text names; it has cleaned up.
    """

    async def guarded() -> Result:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        # asyncio.run turns SIGINT into a cancellation; the others should be no worse.
        for number in _ENDING:
            # What was started with nohup is to outlive its terminal.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel, number.name)
        try:
            return await main
        except asyncio.CancelledError as cause:
            raise KeyboardInterrupt(str(cause) or signal.SIGINT.name) from None

    return asyncio.run(guarded())
