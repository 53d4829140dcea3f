"""From a description to a running stack, and back to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.drill.failed_start import told_with_logs
from harness.drill.progress import Progress
from harness.errors import StackLost
from harness.images.engine import ImageEngine
from harness.images.freshness import require_fresh
from harness.runtime.cache import cache_directory
from harness.runtime.docker.attached_stack import AttachedStack
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RunningStack, RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.stack.stack import Stack


@asynccontextmanager
async def running_stack(
    stack: Stack,
    progress: Progress,
    saboteur: str | None = None,
    runtime: RuntimeName = RuntimeName.LOCAL,
    attach: str | None = None,
    *,
    logs_kept_in: Path | None = None,
) -> AsyncIterator[RunningStack]:
    """Start a stack; when the block ends, nothing of it is left.

    Args:
        stack: what runs.
        progress: is told how it goes.
        saboteur: the defect to plant in the system, if any.
        runtime: how it runs.
        attach: the Compose project that runs it already, which is left running; nothing is started then.
        logs_kept_in: the folder for the logs of a start that failed; they go with the session where none is named.

    Raises:
        SetUpError: no engine answers, or an image is missing or older than its sources.
        StartFailed: a service ended before it was ready.
        DeadlineExceeded: a service was not ready in time.
    """
    async with _opened(stack, saboteur, runtime, attach) as running:
        try:
            progress.at_work("starting the stack …" if attach is None else f"taking over the project {attach} …")
            began_s = time.monotonic()
            try:
                await running.start()
            except Exception as cause:
                raise told_with_logs(cause, running, logs_kept_in) from cause
            took_s = time.monotonic() - began_s
            progress.line(f"stack  {len(running.ready_s)} services, {len(stack.links)} links, ready in {took_s:.1f} s")
            yield running
        finally:
            progress.at_work("taking the stack down …" if attach is None else "leaving the project …")
            await running.close()


@asynccontextmanager
async def while_it_lasts(running: RunningStack) -> AsyncIterator[None]:
    """Break off what the block does once the stack has lost what it runs on: it would only wait for its deadlines.

    Raises:
        StackLost: that is what happened.
    """
    task = asyncio.current_task()
    assert task is not None
    lost = asyncio.create_task(running.lost(), name="watch the engine")
    lost.add_done_callback(lambda ended: None if ended.cancelled() else task.cancel(ended.result()))
    try:
        yield
    except asyncio.CancelledError:
        if lost.done() and task.uncancel() == 0:
            raise StackLost(f"the drill was broken off: {lost.result()}") from None
        raise
    finally:
        lost.cancel()


@asynccontextmanager
async def _opened(
    stack: Stack, saboteur: str | None, runtime: RuntimeName, attach: str | None
) -> AsyncIterator[LocalStack | ContainerStack | AttachedStack]:
    if runtime is RuntimeName.LOCAL and attach is None:
        cache = cache_directory(stack.project)
        toxiproxy = find_or_build(cache)
        async with await Session.open() as session:
            yield LocalStack(stack, session, toxiproxy=toxiproxy, cache=cache, saboteur=saboteur)
        return
    engine = await asyncio.to_thread(Engine.find)
    try:
        if attach is None:
            await asyncio.to_thread(require_fresh, stack, ImageEngine(engine.client))
        async with await Session.open() as session:
            if attach is None:
                yield ContainerStack(stack, session, engine=engine, saboteur=saboteur)
            else:
                yield AttachedStack(stack, session, engine=engine, project=attach)
    finally:
        engine.close()
