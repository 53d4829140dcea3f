"""A wait that ends when it says it ends, also when what it waits for does not stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

T = TypeVar("T")

UNWIND_S = 0.2


class DeadlineExceeded(TimeoutError):
    """What was waited for did not end in time; the message names it and the deadline."""


async def within(deadline_s: float, work: Coroutine[object, object, T], *, what: str, unwind_s: float = UNWIND_S) -> T:
    """Run a coroutine and give up on it at its deadline.

    `asyncio.timeout` is not enough: a database driver that is cancelled first asks the server to cancel its query, and
    waits up to 5 s for an answer that a dead link never brings. A second cancellation ends that courtesy.

    Args:
        deadline_s: seconds after which the work is cancelled; 0 or less gives up at the work's first wait.
        work: the coroutine to run, as a task of its own.
        what: named in the error, as in "SELECT on orders".
        unwind_s: seconds after a cancellation in which the work may put in order what it began.

    Raises:
        DeadlineExceeded: the work had not ended at its deadline.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(deadline_s, 0))
    except BaseException:
        await _give_up(task, unwind_s)
        raise
    if task.done():
        return task.result()
    await _give_up(task, unwind_s)
    if task.done() and not task.cancelled() and task.exception() is None:
        return task.result()
    raise DeadlineExceeded(f"no end of {what} within {deadline_s:g} s")


async def _give_up(task: asyncio.Future[T], unwind_s: float) -> None:
    for _ in range(2):
        if task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=unwind_s)
    if task.done() and not task.cancelled():
        task.exception()
