"""What fails where nothing waits for it: in a task of its own, in a callback of the event loop, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress


@contextmanager
def background_failures(tell: Callable[[Exception], object]) -> Iterator[None]:
    """Tell of each exception that nothing waits for, while the block lasts, in the place of a trace on the terminal.

    Args:
        tell: is told in the event loop.
    """
    loop = asyncio.get_running_loop()
    hook_before, handler_before = threading.excepthook, loop.get_exception_handler()

    def in_loop(_: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        cause = context.get("exception")
        tell(cause if isinstance(cause, Exception) else RuntimeError(str(context.get("message"))))

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        if isinstance(failed.exc_value, Exception):
            with suppress(RuntimeError):  # the loop has ended in the meantime
                loop.call_soon_threadsafe(tell, failed.exc_value)

    loop.set_exception_handler(in_loop)
    threading.excepthook = in_thread
    try:
        yield
    finally:
        loop.set_exception_handler(handler_before)
        threading.excepthook = hook_before
