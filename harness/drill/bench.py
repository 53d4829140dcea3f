"""A stack that stays up while a program runs drills on it, one call after the other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from harness.checks.finding import Verdict
from harness.drill.session import any_seed, drill_all, new_report_directory, running_stack, variables
from harness.report.files import finding_text
from harness.report.summary import Summary
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RunningStack
from harness.scenario.loading import check_against, load_scenario
from harness.scenario.model import Scenario
from harness.stack.stack import load_stack


class DrillFailed(AssertionError):
    """A drill did not pass; the text is its findings, and the path of its report."""

    # Our own frames say nothing to the reader of a test's report.
    __tracebackhide__ = True


class Outcome:
    """What one drill came to.

    Args:
        summary: verdict, findings and figures.
        report: the folder with the evidence.
    """

    def __init__(self, summary: Summary, report: Path) -> None:
        self.summary = summary
        self.report = report

    @property
    def verdict(self) -> Verdict:
        """PASS, FAIL or INCONCLUSIVE."""
        return self.summary.verdict

    def of(self, check: str) -> tuple[str, ...]:
        """The findings of one check, as text."""
        return tuple(finding_text(finding) for finding in self.summary.findings if finding.check == check)

    def expect_pass(self) -> None:
        """Fail the test unless the drill passed.

        Raises:
            DrillFailed: with the findings and the report's path.
        """
        __tracebackhide__ = True
        if self.verdict is not Verdict.PASS:
            found = "\n\n".join(finding_text(finding) for finding in self.summary.findings)
            raise DrillFailed(f"{self.verdict} {self.summary.scenario}\n\n{found}\n\nreport  {self.report}")


class DrillBench:
    """A running stack, and drills on it."""

    def __init__(self, runner: asyncio.Runner, running: RunningStack, report: Path, seed: int) -> None:
        self.running = running
        self._runner = runner
        self._report = report
        self._seed = seed
        self._count = 0

    def __call__(self, scenario: str | Scenario) -> Outcome:
        """Run a drill.

        Args:
            scenario: a name, a file, or a scenario made in code.

        Raises:
            ScenarioError: there is no such scenario, or it is wrong.
        """
        stack = self.running.stack
        if isinstance(scenario, str):
            scenario = load_scenario(scenario, stack.project / "scenarios", stack)
        else:
            check_against(scenario, stack)
        self._count += 1
        directory = self._report / f"{self._count:02d}"
        progress = TerminalProgress(Console())
        work = drill_all(self.running, [scenario], seed=self._seed, directory=directory, progress=progress)
        report = self._runner.run(work)
        return Outcome(report.summaries[0], directory / scenario.name)


@contextmanager
def open_bench(stack: Path, *, reports: Path | None, seed: int | None, saboteur: str | None) -> Iterator[DrillBench]:
    """Start a stack; when the block ends, nothing of it is left."""
    seed = any_seed() if seed is None else seed
    described = load_stack(stack, variables(os.environ, seed))
    report = new_report_directory(reports or described.project / "reports")
    with asyncio.Runner() as runner:
        opened = running_stack(described, TerminalProgress(Console()), saboteur)
        running = runner.run(opened.__aenter__())
        try:
            yield DrillBench(runner, running, report, seed)
        finally:
            runner.run(opened.__aexit__(None, None, None))
