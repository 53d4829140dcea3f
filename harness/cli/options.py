"""Options that several commands share."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.report.terminal import TerminalConsole
from harness.runtime.running import RuntimeName

StackFile = Annotated[Path, typer.Option("--stack", help="The compose file that describes the stack.")]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Seed of everything random; printed, so that a drill can be done again."),
]
Reports = Annotated[
    Path | None,
    typer.Option("--reports", help="Where the report's folder goes; by default reports/ beside the compose file."),
]
RuntimeOption = Annotated[
    RuntimeName, typer.Option("--runtime", help="How the stack runs: as local processes, or in containers.")
]
Saboteur = Annotated[
    str | None, typer.Option("--saboteur", help="Plant this defect in the system, to see whether the checks find it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON, and nothing else, on standard output.")]

Attach = Annotated[
    str | None,
    typer.Option(
        "--attach", help="Drill the stack that Docker Compose has brought up under this project name; it stays up."
    ),
]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the stack up for the next drill; `harness down` ends it.")]


_WIDTH_WITHOUT_TERMINAL = 140


def console_for_people(*, stderr: bool = False) -> Console:
    """Where a person reads; a pipe or a CI log gets a width in which a row of the result stays on one line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no arrow gets a question mark in its place, not a traceback.
            stream.reconfigure(errors="replace")
    console = TerminalConsole(stderr=stderr)
    return console if console.is_terminal else TerminalConsole(stderr=stderr, width=_WIDTH_WITHOUT_TERMINAL)
