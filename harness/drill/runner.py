"""A stack that stays up while a program runs drills on it, one call after the other."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from harness.drill.again import drill_again
from harness.drill.description import any_seed, describe
from harness.drill.opening import running_stack
from harness.drill.report_directory import new_report_directory
from harness.drill.series import drill_all
from harness.drill.unforeseen import unforeseen
from harness.drill.unjudged import without_evidence
from harness.errors import HarnessError, ReportNotWritten
from harness.report.files import write_report
from harness.report.result import DrillResult
from harness.report.terminal import TerminalConsole, TerminalProgress
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
    """A running stack, and drills on it: call it with a scenario.

    Args:
        runner: the loop that the stack's parts belong to.
        running: the stack.
        report: the directory for the reports of its drills.
        seed: the seed of everything random.
        on_skipped: is told why a drill was skipped.
    """

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

    @classmethod
    @contextmanager
    def open(
        cls,
        stack: Path | str,
        *,
        runtime: RuntimeName | str = RuntimeName.LOCAL,
        reports: Path | None = None,
        seed: int | None = None,
        saboteur: str | None = None,
        on_skipped: Callable[[str], object] = _ignore,
    ) -> Iterator[DrillRunner]:
        """Start a stack; when the block ends, nothing of it is left.

        Args:
            stack: the compose file.
            runtime: ``local`` or ``docker``.
            reports: where reports go; ``reports/`` beside the compose file by default.
            seed: the seed of everything random; one is drawn by default.
            saboteur: the defect to plant in the system, if any.
            on_skipped: is told why a drill was skipped.

        Raises:
            UsageError: the compose file is wrong, or a live account is named.
            HarnessError: the stack does not come up.
        """
        seed = any_seed() if seed is None else seed
        described = describe(Path(stack), seed=seed)
        report = new_report_directory(reports or described.project / "reports")
        with asyncio.Runner() as runner:
            progress = TerminalProgress(TerminalConsole(width=_WIDTH))
            opened = running_stack(described, progress, saboteur, RuntimeName(runtime), logs_kept_in=report)
            try:
                running = runner.run(opened.__aenter__())
            except HarnessError:
                raise
            except Exception as cause:
                raise unforeseen(cause, "as it opened the stack", folder=report) from cause
            try:
                yield cls(runner, running, report, seed, on_skipped)
            finally:
                runner.run(opened.__aexit__(None, None, None))

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
        progress = TerminalProgress(TerminalConsole(width=_WIDTH))
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
        try:
            file = write_scenario(scenario, result.report)
        except ReportNotWritten as cause:
            return without_evidence(result, str(cause))
        stack, runtime = self.running.stack, self.running.runtime
        shown = file.relative_to(stack.project) if file.is_relative_to(stack.project) else file
        again = drill_again(shown, seed=self._seed, stack=stack.path, runtime=runtime, project=self.running.project)
        result = dataclasses.replace(result, again=again)
        try:
            write_report(result.report, [result])
        except ReportNotWritten as cause:
            return without_evidence(result, str(cause))
        return result
