"""A stack that stays up while a program runs drills on it, one call after the other."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from harness.drill.again import drill_again
from harness.drill.description import any_seed, describe
from harness.drill.opening import running_stack
from harness.drill.report_directory import new_report_directory
from harness.drill.series import drill_all
from harness.report.files import write_report
from harness.report.result import DrillResult
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RunningStack, RuntimeName
from harness.scenario.loading import check_against, load_scenario
from harness.scenario.model import Scenario
from harness.scenario.writing import write_scenario

Result = TypeVar("Result")
# What pytest captures has no width of its own; a line should not be broken before a person's terminal does it.
_WIDTH = 140


def _ignore(_: str) -> None:
    return


class DrillRunner:
    """A running stack, and drills on it."""

    def __init__(
        self,
        runner: asyncio.Runner,
        running: RunningStack,
        report: Path,
        seed: int,
        on_skipped: Callable[[str], object] = _ignore,
    ) -> None:
        self.running = running
        self._runner = runner
        self._report = report
        self._seed = seed
        self._on_skipped = on_skipped
        self._count = 0

    def __call__(self, scenario: str | Scenario) -> DrillResult:
        """Run a drill.

        Args:
            scenario: a name, a file, or a scenario made in code.

        Raises:
            ScenarioError: there is no such scenario, or it is wrong.
        """
        stack = self.running.stack
        made_in_code = isinstance(scenario, Scenario)
        if isinstance(scenario, str):
            scenario = load_scenario(scenario, stack.project / "scenarios", stack)
        else:
            check_against(scenario, stack)
        self._count += 1
        directory = self._report / f"{self._count:02d}"
        progress = TerminalProgress(Console(width=_WIDTH))
        work = drill_all(self.running, [scenario], seed=self._seed, directory=directory, progress=progress)
        (result,) = self._runner.run(work)
        if result.skipped is not None:
            self._on_skipped(result.skipped)
        return self._with_file(result, scenario) if made_in_code else result

    def wait_for(self, work: Coroutine[object, object, Result]) -> Result:
        """Do something else with the running stack, in the loop that its parts belong to."""
        return self._runner.run(work)

    def _with_file(self, result: DrillResult, scenario: Scenario) -> DrillResult:
        """Write the scenario beside its report: only a file can be drilled again from the command line."""
        file = write_scenario(scenario, result.report)
        stack, runtime = self.running.stack, self.running.runtime
        shown = file.relative_to(stack.project) if file.is_relative_to(stack.project) else file
        again = drill_again(shown, seed=self._seed, stack=stack.path, runtime=runtime)
        result = dataclasses.replace(result, again=again)
        write_report(result.report, [result])
        return result


@contextmanager
def open_runner(
    stack: Path,
    *,
    reports: Path | None,
    seed: int | None,
    saboteur: str | None,
    runtime: RuntimeName = RuntimeName.LOCAL,
    on_skipped: Callable[[str], object] = _ignore,
) -> Iterator[DrillRunner]:
    """Start a stack; when the block ends, nothing of it is left."""
    seed = any_seed() if seed is None else seed
    described = describe(stack, seed=seed)
    report = new_report_directory(reports or described.project / "reports")
    with asyncio.Runner() as runner:
        opened = running_stack(described, TerminalProgress(Console(width=_WIDTH)), saboteur, runtime)
        running = runner.run(opened.__aenter__())
        try:
            yield DrillRunner(runner, running, report, seed, on_skipped)
        finally:
            runner.run(opened.__aexit__(None, None, None))
