"""The score, for a terminal and for a page in Markdown."""

from __future__ import annotations

from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.saboteurs.score import Score

HEADINGS = ("class", "found by", "caught", "planted", "at least (95 %)")


def print_score(console: Console, score: Score) -> None:
    """Print the table, the false alarms, and who was missed."""
    table = Table(*HEADINGS)
    for cells in _cells(score):
        table.add_row(*map(escape, cells))
    console.print(table)
    if score.sound:
        console.print(f" {_alarms(score)}", highlight=False)
    for each in score.missed:
        line = f" [bold red]missed[/]  {escape(each.name)} ({escape(each.promise)})  {escape(each.why())}"
        console.print(line, highlight=False, soft_wrap=True)


def markdown(score: Score, on: date) -> str:
    """Give the table for a page.

    Args:
        score: what is told.
        on: the day on which it was found out.
    """
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{'---|' * len(HEADINGS)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in _cells(score)]
    missed = ", ".join(f"`{each.name}`" for each in score.missed) or "none"
    lines += ["", f"On {on.isoformat()}. Missed: {missed}. {_alarms(score)}"]
    return "\n".join(lines)


def _cells(score: Score) -> list[tuple[str, str, str, str, str]]:
    return [
        (row.kind, row.promise, str(row.caught), str(row.planted), f"{row.bound * 100:.1f} %") for row in score.rows
    ]


def _alarms(score: Score) -> str:
    untold = sum(each.outcome == "inconclusive" for each in score.sound)
    told = f", {untold} inconclusive" if untold else ""
    return (
        f"False alarms: {score.false_alarms} in {len(score.sound)} drills of the sound system{told}"
        f" (at most {score.false_alarms_bound * 100:.1f} %, 95 %)."
    )
