"""Several drills on one running stack, one after the other, and their report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.drill.drill import Drill
from harness.drill.opening import while_it_lasts
from harness.drill.progress import Progress
from harness.drill.report_directory import folder_of_drill
from harness.drill.skipping import skipped, why_skipped
from harness.drill.unforeseen import unforeseen
from harness.drill.unjudged import without_evidence, without_verdict
from harness.errors import ReportNotWritten, StackLost, UsageError
from harness.report.files import write_report
from harness.report.redaction import Redaction
from harness.report.result import DrillResult
from harness.runtime.running import RunningStack, RuntimeName
from harness.scenario.model import Scenario
from harness.stack.stack import Stack

_NO_REPORT = "the report could not be written"


def _ignore(_: DrillResult) -> None:
    return


async def drill_all(
    running: RunningStack,
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    directory: Path,
    progress: Progress,
    on_result: Callable[[DrillResult], object] = _ignore,
) -> tuple[DrillResult, ...]:
    """Drill one scenario after the other, each in a stack that was reset, and write the report into the directory.

    Args:
        running: the stack.
        scenarios: what is drilled.
        seed: the seed of everything random.
        directory: where the report goes.
        progress: is told how it goes.
        on_result: is told of each result as soon as it is there, of a drill that is broken off too.

    Raises:
        UsageError: the first of them cannot be drilled as it was asked.
    """
    series = _Series(running, seed, directory, progress, on_result)
    for scenario in scenarios:
        progress.line("")
        progress.line(f"{scenario.name}   {scenario.about}")
        await series.drill(scenario)
    progress.done()
    return series.whole()


class _Series:
    def __init__(
        self,
        running: RunningStack,
        seed: int,
        directory: Path,
        progress: Progress,
        on_result: Callable[[DrillResult], object],
    ) -> None:
        self._running = running
        self._seed = seed
        self._directory = directory
        self._progress = progress
        self._on_result = on_result
        self._results: list[DrillResult] = []
        self._unwritten = ""
        self._over = ""

    async def drill(self, scenario: Scenario) -> None:
        """Drill one; what keeps this one from a verdict keeps none of the others from it."""
        if (reason := why_skipped(scenario, self._running.runtime)) is not None:
            self._progress.line(f"  skipped: {reason}")
            stack = self._running.stack.path
            self._keep(skipped(scenario, reason, seed=self._seed, stack=stack, report=self._directory))
        elif self._over:
            self._progress.line(f"  not drilled: {self._over}")
            self._keep(self._without_verdict(scenario, self._over))
        else:
            await self._try(scenario)

    async def _try(self, scenario: Scenario) -> None:
        drill: Drill | None = None
        try:
            folder = folder_of_drill(self._directory, scenario.name)
            drill = Drill(self._running, scenario, seed=self._seed, directory=folder, listener=self._progress.entry)
            async with while_it_lasts(self._running):
                self._keep(await drill.run())
        except asyncio.CancelledError:
            if drill is not None and drill.result is not None:
                self._keep(drill.result)
            raise
        except (StackLost, UsageError) as cause:
            if isinstance(cause, UsageError) and not self._results:
                raise
            self._over = str(cause)
            if drill is not None and drill.result is not None:
                self._keep(drill.result)
            else:
                self._progress.line(f"  {cause}")
                self._keep(self._without_verdict(scenario, str(cause)))
        except Exception as cause:  # noqa: BLE001 - it must not take the verdicts of the others along
            redact = Redaction(self._running.stack.secrets.values())
            error = unforeseen(cause, f"in the drill {scenario.name}", folder=self._directory, redact=redact)
            self._progress.line(f"  {error}")
            self._keep(self._without_verdict(scenario, str(error)))

    def whole(self) -> tuple[DrillResult, ...]:
        """All results, those among them whose report or evidence is not there as what they are worth without it."""
        if self._unwritten:
            return tuple(without_evidence(each, self._unwritten, _NO_REPORT) for each in self._results)
        lost = [each for each in self._results if each.folder and not each.evidence.is_dir()]
        if not lost:
            return tuple(self._results)
        results = tuple(
            without_evidence(each, f"{each.evidence} was removed before the last drill was over")
            if each in lost
            else each
            for each in self._results
        )
        self._write(results)
        return results

    def _keep(self, result: DrillResult) -> None:
        self._results.append(result)
        self._write(self._results)
        self._on_result(result)

    def _write(self, results: Sequence[DrillResult]) -> None:
        try:
            write_report(self._directory, results)
        except ReportNotWritten as cause:
            if not self._unwritten:
                self._progress.line(f"  {cause}")
            self._unwritten = str(cause)
        else:
            self._unwritten = ""

    def _without_verdict(self, scenario: Scenario, found: str) -> DrillResult:
        return without_verdict(scenario, self._running, found, seed=self._seed, report=self._directory)


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
