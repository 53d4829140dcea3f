"""``harness drill`` and ``harness list``."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console

from harness.cli.options import (
    DEFAULT_STACK,
    Json,
    Keep,
    Reports,
    RuntimeName,
    RuntimeOption,
    Saboteur,
    Seed,
    StackFile,
    console_for_people,
)
from harness.drill.interruptible import run_interruptibly
from harness.drill.progress import Progress
from harness.drill.session import Report, any_seed, drill_all, new_report_directory, running_stack, variables
from harness.errors import UsageError
from harness.keeper.client import drill_on, start_keeper
from harness.keeper.place import description_of, read_pointer
from harness.report.summary import Summary
from harness.report.terminal import TerminalProgress, print_findings, print_table
from harness.scenario import loading
from harness.scenario.model import Scenario
from harness.stack.stack import Stack, load_stack

SCENARIOS = "scenarios"
Names = Annotated[
    list[str] | None, typer.Argument(help="Names or files; by default those that the stack names.", show_default=False)
]


def drill(
    scenarios: Names = None,
    stack: StackFile = DEFAULT_STACK,
    seed: Seed = None,
    reports: Reports = None,
    runtime: RuntimeOption = RuntimeName.LOCAL,
    keep: Keep = False,
    saboteur: Saboteur = None,
    json: Json = False,
) -> int:
    """Run drills and say what they showed."""
    del runtime  # there is one
    seed = any_seed() if seed is None else seed
    described = load_stack(stack, variables(os.environ, seed))
    chosen = [load(name, described) for name in scenarios or described.scenarios]
    if not chosen:
        raise UsageError(f"no scenario named, and {stack} names none under x-harness.scenarios")
    check_saboteur(described, saboteur)
    directory = new_report_directory(reports or described.project / "reports")
    console = console_for_people(stderr=json)
    progress = TerminalProgress(console)
    try:
        report = run_interruptibly(_drill(described, chosen, seed, directory, saboteur, progress, keep=keep))
    finally:
        with suppress(OSError):
            # Of a drill that never began, nothing is left: a folder that is not empty stays.
            directory.rmdir()
    show(console, report)
    if json:
        typer.echo(TypeAdapter(list[Summary]).dump_json(list(report.summaries), indent=2).decode())
    return report.verdict.exit_code


async def _drill(
    stack: Stack,
    scenarios: list[Scenario],
    seed: int,
    directory: Path,
    saboteur: str | None,
    progress: Progress,
    *,
    keep: bool,
) -> Report:
    try:
        kept = read_pointer(stack.path)
        if kept is None and keep:
            kept = await start_keeper(stack.path, seed=seed, saboteur=saboteur, progress=progress)
        if kept is not None and kept.description == description_of(stack.path, saboteur):
            return await drill_on(kept, scenarios, seed=seed, directory=directory, progress=progress)
        if kept is not None:
            raise UsageError("the stack that is kept up was made from another description: `harness down` first")
        async with running_stack(stack, progress, saboteur) as running:
            return await drill_all(running, scenarios, seed=seed, directory=directory, progress=progress)
    finally:
        progress.done()


def show(console: Console, report: Report) -> None:
    """Print findings, the table, and where to read on."""
    for summary in report.summaries:
        print_findings(console, summary)
    print_table(console, report.summaries)
    again = next((each.again for each in report.summaries if each.findings), report.summaries[-1].again)
    console.print(f" report  {report.directory}       again  {again}", highlight=False, soft_wrap=True)


def load(name: str, stack: Stack) -> Scenario:
    """Read a scenario of a stack."""
    return loading.load_scenario(name, stack.project / SCENARIOS, stack)


def check_saboteur(stack: Stack, saboteur: str | None) -> None:
    """Refuse a saboteur that does not exist.

    Raises:
        UsageError: names those that do.
    """
    if saboteur is None:
        return
    folder = stack.saboteur_hook.parent if stack.saboteur_hook else None
    known = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__") if folder else []
    if saboteur not in known:
        raise UsageError(f"no saboteur {saboteur!r}; there are: {', '.join(known) or 'none'}")


def list_scenarios(stack: StackFile = DEFAULT_STACK) -> int:
    """List the scenarios, with what goes wrong in each."""
    console = console_for_people()
    described = load_stack(stack, variables(os.environ, 0))
    for name in loading.list_scenarios(described.project / SCENARIOS):
        console.print(f" {name:<24} {load(name, described).about}", highlight=False, soft_wrap=True)
    return 0
