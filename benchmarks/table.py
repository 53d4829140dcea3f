"""The result: a table for people, a document for programs."""

from __future__ import annotations

import os
import platform

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.measuring import Measured, NotMeasured

_HEADINGS = ("measured", "n", "median", "p99", "min", "max", "aim", "")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RowDocument(_Strict):
    """One row, with every sample."""

    what: str
    unit: str
    median: float
    p99: float
    min: float
    max: float
    aim: str | None
    held: bool | None
    samples: list[float]


class NotMeasuredDocument(_Strict):
    """A measurement without figures."""

    name: str
    why: str


class BenchDocument(_Strict):
    """All of it; ``load`` is the machine's load average before and after, for what else ran on it."""

    python: str
    cores: int
    load: tuple[float, float]
    rows: list[RowDocument]
    left_out: list[NotMeasuredDocument]
    failed: list[NotMeasuredDocument]


def document(measured: Measured, load: tuple[float, float]) -> BenchDocument:
    """All of it as a document."""
    return BenchDocument(
        python=platform.python_version(),
        cores=os.cpu_count() or 1,
        load=load,
        rows=[
            RowDocument(
                what=row.what,
                unit=row.unit,
                median=round(row.figure("median"), 4),
                p99=round(row.figure("p99"), 4),
                min=round(min(row.samples), 4),
                max=round(row.figure("max"), 4),
                aim=None if row.aim is None else f"{row.aim} {row.unit}",
                held=row.held,
                samples=[round(sample, 4) for sample in row.samples],
            )
            for row in measured.rows
        ],
        left_out=[_not_measured(each) for each in measured.left_out],
        failed=[_not_measured(each) for each in measured.failed],
    )


def _not_measured(each: NotMeasured) -> NotMeasuredDocument:
    return NotMeasuredDocument(name=each.name, why=each.why)


def print_table(console: Console, measured: Measured, load: tuple[float, float]) -> None:
    """Print the rows, how busy the machine was, and what was not measured."""
    table = Table(*_HEADINGS)
    for row in measured.rows:
        figures = (row.figure("median"), row.figure("p99"), min(row.samples), row.figure("max"))
        aim = "" if row.aim is None else f"{row.aim} {row.unit}"
        result = {None: "", True: "[green]held[/]", False: "[bold red]missed[/]"}[row.held]
        table.add_row(row.what, str(len(row.samples)), *(f"{each:.2f} {row.unit}" for each in figures), aim, result)
    console.print(table)
    busy = f"{os.cpu_count()} cores, load average {load[0]:.1f} before and {load[1]:.1f} after"
    console.print(f" {busy}; p99 of fewer than 100 is the largest", highlight=False)
    for each in measured.left_out:
        console.print(f" left out  {escape(each.name)}: {escape(each.why)}", highlight=False, soft_wrap=True)
    for each in measured.failed:
        console.print(f" [bold red]failed[/]  {escape(each.name)}: {escape(each.why)}", highlight=False, soft_wrap=True)
        if each.evidence:
            console.print(escape(each.evidence), highlight=False, soft_wrap=True, style="dim")
