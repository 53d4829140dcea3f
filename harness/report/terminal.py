"""What a person sees while drills run, and at their end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from harness.checks.finding import Finding, Verdict, Weight
from harness.history.events import (
    DrillStarted,
    Event,
    FaultHealed,
    FaultHit,
    FaultNeverCame,
    FaultOn,
    PhaseBegan,
    PhaseEnded,
    ProxyReplaced,
    Recovered,
    RunChanged,
    RunGivenUp,
    TaskChanged,
    Trouble,
    Witness,
)
from harness.history.history import Entry, History
from harness.history.measurements import EvidenceMissing, HarnessStalled
from harness.history.unended import still_at_work
from harness.report.files import row
from harness.report.result import DrillResult

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.WATCHED_ONLY: "yellow",
    Verdict.SKIPPED: "dim",
}


# What fails a drill; all else that a check finds keeps the drill from telling anything.
_BLAMES = frozenset({Weight.SAFETY, Weight.LIVENESS})


class TerminalConsole(Console):
    """A console whose reader may go away: what it would have been told is lost, and the drill goes on."""

    def on_broken_pipe(self) -> None:
        """Write no more, now and at the end of the process."""
        self.quiet = True
        with suppress(OSError, ValueError), open(os.devnull, "wb") as nothing:  # noqa: PTH123 - it is no path
            os.dup2(nothing.fileno(), self.file.fileno())

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; nothing, once the terminal is gone."""
        try:
            super().print(*objects, **options)
        except OSError:
            self.on_broken_pipe()


class TerminalProgress:
    """Shows a drill as it goes: one line a step, and on a terminal what it is at.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._of_runs: list[Entry] = []

    def at_work(self, what: str) -> None:
        """Say what is going on until the next word; only where a person watches."""
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status("")
                self._status.start()
            self._status.update(f" {escape(what)}")

    def line(self, text: str) -> None:
        """Print a line of plain text."""
        self._console.print(f" {escape(text)}", highlight=False)

    def done(self) -> None:
        """Take away what was shown as going on."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def entry(self, entry: Entry) -> None:
        """Show an entry of the history, if a person would want to know."""
        event = entry.event
        match event:
            case PhaseBegan(phase=phase):
                self.at_work(f"{phase} …")
            case PhaseEnded(phase="steady", failure=None):
                self._step("steady ✓", f"{event.took_s:.1f} s")
            case FaultOn():
                self._step("fault on", f"{event.target} {event.what} at {entry.at_s:.1f} s: {event.cause}")
            case FaultHit(witness=Witness.PROXY | Witness.SYSTEM | Witness.KERNEL | Witness.GATEWAY):
                self._step("hit ✓", f"{event.count} {event.detail}")
            case FaultHealed():
                again = " by a new proxy" if event.proxy_replaced else ""
                self._step("healed ✓", f"{event.target} in {event.took_s * 1000:.0f} ms{again}")
            case Recovered():
                self._step("settled ✓", f"{event.took_s:.1f} s after run and faults were over")
            case DrillStarted() | RunChanged() | TaskChanged() | RunGivenUp():
                self._follow(entry)
            case _ if (trouble := _trouble(event)) is not None:
                self._step("trouble", trouble)

    def _follow(self, entry: Entry) -> None:
        """Keep in mind how the runs of a drill go, to say what one that is given up was still at."""
        match entry.event:
            case DrillStarted():
                self._of_runs = []
            case RunGivenUp(run=run):
                self._step("given up", self._why_given_up(run, entry.at_s))
            case _:
                self._of_runs.append(entry)

    def _why_given_up(self, run: str, at_s: float) -> str:
        history = History(tuple(self._of_runs))
        began_s = next((entry.at_s for entry, event in history.of(RunChanged) if event.run == run), at_s)
        return f"the run had not ended after {at_s - began_s:.0f} s: {still_at_work(history, run)}"

    def _step(self, name: str, text: str) -> None:
        self._console.print(f"   {name:<10} {escape(text)}", highlight=False)


def _trouble(event: Event) -> str | None:
    match event:
        case FaultNeverCame(cause=text) | ProxyReplaced(expected=False, reason=text):
            return text
        case Trouble(what=text) | EvidenceMissing(what=text):
            return text
        case HarnessStalled(took_s=took_s):
            return f"the harness stood still for {took_s:.1f} s"
    return None


def print_findings(console: Console, result: DrillResult) -> None:
    """The findings of one drill: what fails it first, then what keeps it from telling more."""
    for finding in sorted(result.findings, key=lambda finding: finding.weight not in _BLAMES):
        print_finding(console, result, finding)


def print_finding(console: Console, result: DrillResult, finding: Finding) -> None:
    """One finding, under the verdict that it leads to: the promise and its loss, how we know, where to look."""
    verdict = leads_to(finding)
    title = f"{result.scenario}: {finding.check}: {finding.title}"
    console.print(f"\n [{COLOURS[verdict]}]{verdict}[/]  {escape(title)}", highlight=False)
    if verdict is Verdict.FAIL and (promised := result.promised.get(finding.check)):
        console.print(f"   promised  {escape(promised)}", highlight=False)
    console.print(f"   expected  {escape(finding.expected)}", highlight=False)
    console.print(f"   found     {escape(finding.found)}", highlight=False)
    for fault in result.faults:
        console.print(f"   fault     {escape(fault)}", highlight=False)
    if finding.see:
        console.print(f"   see       {escape(result.folder)}: {escape(finding.see)}", highlight=False)


def leads_to(finding: Finding) -> Verdict:
    """The verdict that a finding leads to by itself."""
    if finding.weight is Weight.WATCHED:
        return Verdict.WATCHED_ONLY
    return Verdict.FAIL if finding.weight in _BLAMES else Verdict.INCONCLUSIVE


def print_table(console: Console, results: Sequence[DrillResult]) -> None:
    """The result, one row a drill."""
    table = Table("scenario", "fault", "hits", "healed", "recovery", "promises", "verdict")
    for result in results:
        *cells, verdict = row(result)
        table.add_row(*(escape(cell) for cell in cells), f"[{COLOURS[result.verdict]}]{verdict}[/]")
    console.print()
    console.print(table)
