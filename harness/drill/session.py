"""From nothing to several judged drills on one stack, and back to nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.drill.drill import Drill
from harness.drill.progress import Progress
from harness.drill.skipping import skipped, why_skipped
from harness.errors import HarnessError, ReportNotWritten
from harness.images import environment as images_env
from harness.images.engine import ImageEngine
from harness.images.freshness import require_fresh
from harness.report.files import write_report
from harness.report.result import DrillResult
from harness.runtime.cache import cache_directory
from harness.runtime.docker.attached_stack import AttachedStack
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RunningStack, RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.scenario.model import Scenario
from harness.stack.stack import Stack, load_stack

_SEEDS = 1_000_000


def any_seed() -> int:
    """A seed, when the user gave none."""
    return random.SystemRandom().randrange(_SEEDS)


def new_report_directory(parent: Path) -> Path:
    """Make a folder for a report, before anything starts; its path is absolute.

    Raises:
        ReportNotWritten: it cannot be made, or nothing can be written into it.
    """
    directory = parent.absolute() / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(2)}"
    try:
        directory.mkdir(parents=True)
        probe = directory / "probe"
        probe.write_bytes(b"\0" * 65536)
        probe.unlink()
    except OSError as cause:
        shutil.rmtree(directory, ignore_errors=True)
        raise ReportNotWritten(
            f"{directory}: the report cannot be written ({cause.strerror}); make room, or name a folder with --reports"
        ) from cause
    return directory


def folder_of_drill(report: Path, scenario: str) -> Path:
    """Where a drill leaves its evidence; a scenario that is drilled several times has a folder for each."""
    names = (scenario if nth == 1 else f"{scenario}-{nth}" for nth in itertools.count(1))
    return next(report / name for name in names if not (report / name).exists())


@asynccontextmanager
async def running_stack(
    stack: Stack,
    progress: Progress,
    saboteur: str | None = None,
    runtime: RuntimeName = RuntimeName.LOCAL,
    attach: str | None = None,
) -> AsyncIterator[RunningStack]:
    """Start a stack; when the block ends, nothing of it is left.

    Args:
        stack: what runs.
        progress: is told how it goes.
        saboteur: the defect to plant in the system, if any.
        runtime: how it runs.
        attach: the Compose project that runs it already, which is left running; nothing is started then.

    Raises:
        SetUpError: no engine answers, or an image is missing or older than its sources.
        StartFailed: a service ended before it was ready.
        DeadlineExceeded: a service was not ready in time.
    """
    async with _opened(stack, saboteur, runtime, attach) as running:
        try:
            progress.at_work("starting the stack …" if attach is None else f"taking over the project {attach} …")
            began_s = time.monotonic()
            await running.start()
            took_s = time.monotonic() - began_s
            progress.line(f"stack  {len(running.ready_s)} services, {len(stack.links)} links, ready in {took_s:.1f} s")
            yield running
        finally:
            progress.at_work("taking the stack down …" if attach is None else "leaving the project …")
            await running.close()


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


async def drill_all(
    running: RunningStack, scenarios: Sequence[Scenario], *, seed: int, directory: Path, progress: Progress
) -> tuple[DrillResult, ...]:
    """Drill one scenario after the other, each in a stack that was reset, and write the report into the directory."""
    results: list[DrillResult] = []
    for scenario in scenarios:
        progress.line("")
        progress.line(f"{scenario.name}   {scenario.about}")
        if (reason := why_skipped(scenario, running.runtime)) is not None:
            progress.line(f"  skipped: {reason}")
            results.append(skipped(scenario, reason, seed=seed, stack=running.stack.path, report=directory))
        else:
            folder = folder_of_drill(directory, scenario.name)
            drill = Drill(running, scenario, seed=seed, directory=folder, listener=progress.entry)
            async with while_it_lasts(running):
                results.append(await drill.run())
        write_report(directory, results)
    progress.done()
    return tuple(results)


def skip_all(
    stack: Stack,
    scenarios: Sequence[Scenario],
    runtime: RuntimeName,
    *,
    seed: int,
    directory: Path,
    progress: Progress,
) -> tuple[DrillResult, ...]:
    """Write the report of scenarios none of which a runtime can drill; empty when there is one that it can."""
    reasons = [(scenario, why_skipped(scenario, runtime)) for scenario in scenarios]
    results = tuple(
        skipped(scenario, reason, seed=seed, stack=stack.path, report=directory)
        for scenario, reason in reasons
        if reason is not None
    )
    if len(results) < len(reasons):
        return ()
    for result in results:
        progress.line(f"{result.scenario}   skipped: {result.skipped}")
    write_report(directory, results)
    return results


@asynccontextmanager
async def while_it_lasts(running: RunningStack) -> AsyncIterator[None]:
    """Break off what the block does once the stack has lost what it runs on: it would only wait for its deadlines.

    Raises:
        HarnessError: that is what happened.
    """
    task = asyncio.current_task()
    assert task is not None
    lost = asyncio.create_task(running.lost(), name="watch the engine")
    lost.add_done_callback(lambda ended: None if ended.cancelled() else task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if lost.done() and task.uncancel() == 0:
            raise HarnessError(f"the drill was broken off: {lost.result()}") from None
        raise
    finally:
        lost.cancel()


def variables(environment: Mapping[str, str], seed: int, project: Path | None = None) -> dict[str, str]:
    """What ``${NAME}`` in the compose file stands for.

    Args:
        environment: the user's, which comes before all else.
        seed: the seed of everything random.
        project: the compose file's folder, in whose cache the last build of images noted their names.
    """
    images = {} if project is None else images_env.read(cache_directory(project))
    return {**images, **environment, "HARNESS_SEED": str(seed)}


def describe(path: Path, *, seed: int, relaxed: bool = False, runs_already: bool = False) -> Stack:
    """Read a stack as a drill has it.

    Args:
        path: the compose file.
        seed: the seed of everything random.
        relaxed: whether durability may be given up for speed, because no scenario takes a service down.
        runs_already: whether somebody else has started it, so that no secret of it may be made up.

    Raises:
        StackError: the file is missing or wrong.
    """
    return load_stack(
        path, variables(os.environ, seed, path.resolve().parent), relaxed=relaxed, runs_already=runs_already
    )


def takes_services_down(scenarios: Sequence[Scenario]) -> bool:
    """Whether a fault of these scenarios is one of a service, which may have to live on what it has stored."""
    return any(injection.service is not None for scenario in scenarios for injection in scenario.faults)
