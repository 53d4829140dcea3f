"""The report: a table for people, JSON for machines, and an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trading.doctor.examination import Line
from trading.doctor.finding import Verdict, worst

HEALTHY = 0
SICK = 1
WRONG_USAGE = 2

_STYLES = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def exit_code(lines: Sequence[Line]) -> int:
    """1 when a check failed; a warning is no failure."""
    return SICK if worst(line.finding.verdict for line in lines) is Verdict.FAIL else HEALTHY


def as_json(lines: Sequence[Line]) -> str:
    """The report as one JSON object."""
    return json.dumps(
        {
            "verdict": worst(line.finding.verdict for line in lines),
            "lines": [
                {
                    "check": line.check,
                    "verdict": line.finding.verdict,
                    "detail": line.finding.detail,
                    "fix": line.finding.fix,
                    "elapsed_s": line.elapsed_s,
                }
                for line in lines
            ],
        }
    )


def show(lines: Sequence[Line], console: Console) -> None:
    """Print the report as a table; what is to be done stands below what was found."""
    table = Table(show_edge=False, pad_edge=False, box=None)
    for title in ("check", "", "found"):
        table.add_column(title, no_wrap=title != "found", overflow="fold")
    for line in lines:
        found = Text(line.finding.detail)
        if line.finding.fix:
            found.append(f"\n→ {line.finding.fix}", style="bold")
        table.add_row(line.check, Text(line.finding.verdict, _STYLES[line.finding.verdict]), found)
    console.print(table)
    counts = {verdict: sum(line.finding.verdict is verdict for line in lines) for verdict in Verdict}
    console.print(f"{counts[Verdict.PASS]} passed, {counts[Verdict.WARN]} warned, {counts[Verdict.FAIL]} failed")
