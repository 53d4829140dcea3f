"""Several drills on one running stack, one after the other, and their report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.drill.drill import Drill
from harness.drill.opening import while_it_lasts
from harness.drill.progress import Progress
from harness.drill.report_directory import folder_of_drill
from harness.drill.skipping import skipped, why_skipped
from harness.report.files import write_report
from harness.report.result import DrillResult
from harness.runtime.running import RunningStack, RuntimeName
from harness.scenario.model import Scenario
from harness.stack.stack import Stack


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
