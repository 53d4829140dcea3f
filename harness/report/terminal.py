"""What a person sees while drills run, and at their end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from harness.checks.finding import Finding, Verdict
from harness.history.events import (
    FaultHealed,
    FaultHit,
    FaultNeverCame,
    FaultOn,
    PhaseBegan,
    PhaseEnded,
    ProxyReplaced,
    Recovered,
    Trouble,
    Witness,
)
from harness.history.history import Entry
from harness.report.files import row
from harness.report.result import DrillResult

COLOURS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.WATCHED_ONLY: "yellow",
    Verdict.SKIPPED: "dim",
}


class TerminalProgress:
    """Shows a drill as it goes: one line a step, and on a terminal what it is at.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

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
            case FaultHit(witness=Witness.PROXY | Witness.SYSTEM | Witness.KERNEL):
                self._step("hit ✓", f"{event.count} {event.detail}")
            case FaultHealed():
                again = " by a new proxy" if event.proxy_replaced else ""
                self._step("healed ✓", f"{event.target} in {event.took_s * 1000:.0f} ms{again}")
            case Recovered():
                self._step("settled ✓", f"{event.took_s:.1f} s after the last heal")
            case FaultNeverCame() | ProxyReplaced(expected=False) | Trouble():
                text = (
                    event.what
                    if isinstance(event, Trouble)
                    else getattr(event, "cause", "") or getattr(event, "reason", "")
                )
                self._step("trouble", text)

    def _step(self, name: str, text: str) -> None:
        self._console.print(f"   {name:<10} {escape(text)}", highlight=False)


def print_findings(console: Console, result: DrillResult) -> None:
    """The findings of one drill: the loss first, then how we know, then where to look."""
    for finding in result.findings:
        print_finding(console, result, finding)


def print_finding(console: Console, result: DrillResult, finding: Finding) -> None:
    """One finding."""
    colour = COLOURS[result.verdict]
    console.print(
        f"\n [{colour}]{result.verdict}[/]  {escape(result.scenario)}: {escape(finding.title)}", highlight=False
    )
    console.print(f"   expected  {escape(finding.expected)}", highlight=False)
    console.print(f"   found     {escape(finding.found)}", highlight=False)
    for fault in result.faults:
        console.print(f"   fault     {escape(fault)}", highlight=False)
    if finding.see:
        console.print(f"   see       {escape(result.folder)}: {escape(finding.see)}", highlight=False)


def print_table(console: Console, results: Sequence[DrillResult]) -> None:
    """The result, one row a drill."""
    table = Table("scenario", "fault", "hits", "healed", "recovery", "promises", "verdict")
    for result in results:
        *cells, verdict = row(result)
        table.add_row(*(escape(cell) for cell in cells), f"[{COLOURS[result.verdict]}]{verdict}[/]")
    console.print()
    console.print(table)
