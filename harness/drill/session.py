"""From nothing to several judged drills on one stack, and back to nothing."""

from __future__ import annotations

import random
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.checks.finding import Verdict
from harness.drill.drill import Drill
from harness.drill.progress import Progress
from harness.drill.result import DrillResult
from harness.errors import ReportNotWritten
from harness.report.files import worst, write_report
from harness.report.summary import Summary, bit_count, faults_of, healed_ms, recovery_s
from harness.runtime.cache import cache_directory
from harness.runtime.local import LocalStack
from harness.runtime.running import RunningStack
from harness.runtime.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.scenario.model import Scenario
from harness.stack.stack import Stack

_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """Several drills, judged and written down."""

    directory: Path
    summaries: tuple[Summary, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of all of them together."""
        return worst(self.summaries)


def any_seed() -> int:
    """A seed, when the user gave none."""
    return random.SystemRandom().randrange(_SEEDS)


def new_report_directory(parent: Path) -> Path:
    """Make a folder for a report, before anything starts.

    Raises:
        ReportNotWritten: it cannot be made, or nothing can be written into it.
    """
    directory = parent / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(2)}"
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


@asynccontextmanager
async def running_stack(stack: Stack, progress: Progress, saboteur: str | None = None) -> AsyncIterator[RunningStack]:
    """Start a stack as local processes; when the block ends, nothing of it is left."""
    cache = cache_directory(stack.project)
    toxiproxy = find_or_build(cache)
    async with await Session.open() as session:
        running = LocalStack(stack, session, toxiproxy=toxiproxy, cache=cache, saboteur=saboteur)
        try:
            progress.at_work("starting the stack …")
            began_s = time.monotonic()
            await running.start()
            took_s = time.monotonic() - began_s
            progress.line(f"stack  {len(running.ready_s)} services, {len(stack.links)} links, ready in {took_s:.1f} s")
            yield running
        finally:
            progress.at_work("taking the stack down …")
            await running.close()


async def drill_all(
    running: RunningStack, scenarios: Sequence[Scenario], *, seed: int, directory: Path, progress: Progress
) -> Report:
    """Drill one scenario after the other, each in a stack that was reset, and write the report."""
    summaries: list[Summary] = []
    for scenario in scenarios:
        progress.line("")
        progress.line(f"{scenario.name}   {scenario.about}")
        folder = directory / scenario.name
        drill = Drill(running, scenario, seed=seed, directory=folder, listener=progress.entry)
        summaries.append(summarise(await drill.run(), directory))
        write_report(directory, summaries)
    progress.done()
    return Report(directory, tuple(summaries))


def summarise(result: DrillResult, report: Path) -> Summary:
    """The few figures of a drill that every report shows."""
    scenario, history = result.scenario, result.history
    faulty = bool(scenario.faults)
    return Summary(
        scenario=scenario.name,
        about=scenario.about,
        faults=faults_of(scenario),
        bit=bit_count(history) if faulty else None,
        healed_ms=healed_ms(history) if faulty else None,
        recovery_s=recovery_s(history) if faulty else None,
        promises=result.judgement.promises,
        kept=result.judgement.kept,
        verdict=result.judgement.verdict,
        findings=result.judgement.findings,
        seed=result.seed,
        took_s=round(result.took_s, 3),
        folder=str(result.directory.relative_to(report)),
        again=f"harness drill {scenario.name} --seed {result.seed}",
    )


def variables(environment: Mapping[str, str], seed: int) -> dict[str, str]:
    """What ``${NAME}`` in the compose file stands for."""
    return {**environment, "HARNESS_SEED": str(seed)}
