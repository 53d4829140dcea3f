"""``harness drill`` and ``harness list``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.cli.options import (
    DEFAULT_STACK,
    Attach,
    Json,
    Keep,
    Reports,
    RuntimeOption,
    Saboteur,
    Seed,
    StackFile,
    console_for_people,
)
from harness.daemon.client import drill_on, start_daemon
from harness.daemon.state_file import describe_now, read_state
from harness.drill.interruptible import run_interruptibly
from harness.drill.progress import Progress
from harness.drill.session import (
    Report,
    any_seed,
    describe,
    drill_all,
    new_report_directory,
    running_stack,
    skip_all,
    takes_services_down,
)
from harness.errors import UsageError
from harness.faults.registry import known_faults
from harness.report.summary import Summary
from harness.report.terminal import TerminalProgress, print_findings, print_table
from harness.runtime.effects.registry import runtimes_of
from harness.runtime.running import RuntimeName
from harness.scenario import loading
from harness.scenario.model import Scenario
from harness.stack.stack import Stack

SCENARIOS = "scenarios"
Names = Annotated[
    list[str] | None, typer.Argument(help="Names or files; by default those that the stack names.", show_default=False)
]


Faults = Annotated[bool, typer.Option("--faults", help="List the faults that a scenario may name, in its place.")]


@dataclass(frozen=True, slots=True)
class _How:
    """How the stack is had: started on a runtime, kept up or not, or taken over from Compose."""

    runtime: RuntimeName
    saboteur: str | None
    attach: str | None
    keep: bool


def drill(
    scenarios: Names = None,
    stack: StackFile = DEFAULT_STACK,
    seed: Seed = None,
    reports: Reports = None,
    runtime: RuntimeOption = RuntimeName.LOCAL,
    keep: Keep = False,
    saboteur: Saboteur = None,
    attach: Attach = None,
    json: Json = False,
) -> int:
    """Run drills and say what they showed."""
    if attach is not None and (keep or saboteur is not None):
        raise UsageError("--attach takes a stack as it is: leave out --keep and --saboteur")
    how = _How(RuntimeName.DOCKER if attach is not None else runtime, saboteur, attach, keep)
    seed = any_seed() if seed is None else seed
    attached = attach is not None
    described = describe(stack, seed=seed, runs_already=attached)
    chosen = [load(name, described) for name in scenarios or described.scenarios]
    if not chosen:
        raise UsageError(f"no scenario named, and {stack} names none under x-harness.scenarios")
    if not takes_services_down(chosen):
        described = describe(stack, seed=seed, relaxed=True, runs_already=attached)
    check_saboteur(described, saboteur)
    directory = new_report_directory(reports or described.project / "reports")
    console = console_for_people(stderr=json)
    progress = TerminalProgress(console)
    try:
        report = run_interruptibly(_drill(described, chosen, seed, directory, how, progress))
    finally:
        with suppress(OSError):
            # Of a drill that never began, nothing is left: a folder that is not empty stays.
            directory.rmdir()
    show(console, report)
    if json:
        typer.echo(TypeAdapter(list[Summary]).dump_json(list(report.summaries), indent=2).decode())
    return report.verdict.exit_code


async def _drill(
    stack: Stack, scenarios: list[Scenario], seed: int, directory: Path, how: _How, progress: Progress
) -> Report:
    runtime, saboteur = how.runtime, how.saboteur
    try:
        if (report := skip_all(scenarios, runtime, seed=seed, directory=directory, progress=progress)) is not None:
            return report
        kept = read_state(stack.path) if how.attach is None else None
        if kept is None and how.keep:
            kept = await start_daemon(stack.path, seed=seed, saboteur=saboteur, runtime=runtime, progress=progress)
        if kept is not None and kept.description == await describe_now(stack, saboteur, runtime):
            return await drill_on(kept, scenarios, seed=seed, directory=directory, progress=progress)
        if kept is not None:
            raise UsageError("the stack that is kept up was made from another description: `harness down` first")
        async with running_stack(stack, progress, saboteur, runtime, how.attach) as running:
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


def fault_table() -> Table:
    """Every fault that a scenario may name, those of installed packages included."""
    table = Table("fault", "of a", "settings", "what happens", "runtimes", "in a feature")
    for name, fault in known_faults().items():
        runtimes = ", ".join(runtimes_of(fault))
        settings = ", ".join(fault.settings()) or "–"
        table.add_row(*map(escape, (name, fault.TARGET, settings, fault.SENTENCE, runtimes, f"… {fault.PHRASES[0]}")))
    return table


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


def list_scenarios(stack: StackFile = DEFAULT_STACK, faults: Faults = False) -> int:
    """List the scenarios, with what goes wrong in each; or, with --faults, every fault that a scenario may name."""
    console = console_for_people()
    if faults:
        console.print(fault_table())
        return 0
    described = describe(stack, seed=0)
    for name in loading.list_scenarios(described.project / SCENARIOS):
        console.print(f" {name:<24} {load(name, described).about}", highlight=False, soft_wrap=True)
    return 0
