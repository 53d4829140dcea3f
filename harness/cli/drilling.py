"""``harness drill`` and ``harness list``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.checks.finding import Verdict
from harness.cli.ending import tell, tell_of_signal
from harness.cli.options import (
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
from harness.daemon.client import drill_on, find_daemon, start_daemon
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import any_seed, describe, needs_durability
from harness.drill.interruptible import run_interruptibly
from harness.drill.opening import running_stack
from harness.drill.progress import Progress
from harness.drill.report_directory import new_report_directory
from harness.drill.series import drill_all, skip_all
from harness.drill.unforeseen import unforeseen
from harness.errors import HarnessError, UsageError
from harness.faults.gateway.fault import GatewayFault
from harness.faults.gateway.rows import gateway_rows
from harness.faults.registry import known_faults
from harness.report.files import as_json
from harness.report.result import DrillResult, verdict_of_all
from harness.report.terminal import TerminalProgress, print_findings, print_table
from harness.runtime.effects.registry import runtimes_of
from harness.runtime.running import RuntimeName
from harness.saboteurs.declared import chosen, read_declared
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
    """How the stack is had: started on a runtime, left up or not, or taken over from Compose."""

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
    if not needs_durability(chosen):
        described = describe(stack, seed=seed, relaxed=True, runs_already=attached)
    check_saboteur(described, saboteur)
    directory = new_report_directory(reports or described.project / "reports")
    console = console_for_people(stderr=json)
    reached: list[DrillResult] = []
    code = None
    try:
        results = run_interruptibly(
            _drill(described, chosen, seed, directory, how, TerminalProgress(console), reached.append)
        )
    except (KeyboardInterrupt, Exception) as cause:
        if not reached:
            raise
        # What was found before is told all the same, and a loss among it is the verdict.
        code, results = _told(console, cause, directory), tuple(reached)
    finally:
        with suppress(OSError):
            # Of a drill that never began, nothing is left: a folder that is not empty stays.
            directory.rmdir()
    verdict = verdict_of_all(results)
    with suppress(OSError):
        # The exit code tells the verdict, also when what should read it is gone.
        show(console, results, directory)
        if json:
            typer.echo(as_json(results).decode())
    return verdict.exit_code if code is None or verdict is Verdict.FAIL else code


def _told(console: Console, cause: KeyboardInterrupt | Exception, directory: Path) -> int:
    if isinstance(cause, KeyboardInterrupt):
        return tell_of_signal(console, cause)
    if isinstance(cause, HarnessError):
        return tell(console, cause)
    return tell(console, unforeseen(cause, "after its drills", folder=directory))


async def _drill(
    stack: Stack,
    scenarios: list[Scenario],
    seed: int,
    directory: Path,
    how: _How,
    progress: Progress,
    on_result: Callable[[DrillResult], object],
) -> tuple[DrillResult, ...]:
    runtime, saboteur = how.runtime, how.saboteur
    try:
        if results := skip_all(stack, scenarios, runtime, seed=seed, directory=directory, progress=progress):
            return results
        state = await find_daemon(stack, saboteur, runtime) if how.attach is None else None
        if state is None and how.keep:
            state = await start_daemon(
                stack.path, seed=seed, saboteur=saboteur, runtime=runtime, progress=progress, logs=directory
            )
        if state is not None:
            return await drill_on(
                state, scenarios, seed=seed, directory=directory, progress=progress, on_result=on_result
            )
        async with running_stack(stack, progress, saboteur, runtime, how.attach, logs_kept_in=directory) as running:
            return await drill_all(
                running, scenarios, seed=seed, directory=directory, progress=progress, on_result=on_result
            )
    finally:
        progress.done()


def show(console: Console, results: Sequence[DrillResult], directory: Path) -> None:
    """Print findings, the table, and where to read on."""
    for result in results:
        print_findings(console, result)
    print_table(console, results)
    again = next((each.again for each in results if each.findings), results[-1].again)
    console.print(f" report  {directory}       again  {again}", highlight=False, soft_wrap=True)


def fault_table() -> Table:
    """Every fault that a scenario may name, those of installed packages included."""
    table = Table("fault", "of a", "settings", "what happens", "runtimes", "in a feature")
    for name, fault in known_faults().items():
        runtimes = ", ".join(runtimes_of(fault))
        settings = ", ".join(fault.settings()) or "–"
        table.add_row(*map(escape, (name, fault.TARGET, settings, fault.SENTENCE, runtimes, f"… {fault.PHRASES[0]}")))
    runtimes = ", ".join(runtimes_of(GatewayFault))
    for row in gateway_rows():
        table.add_row(*map(escape, (row.written, GatewayFault.TARGET, row.parameters, row.about, runtimes, row.said)))
    return table


def load(name: str, stack: Stack) -> Scenario:
    """Read a scenario of a stack."""
    return loading.load_scenario(name, stack.project / SCENARIOS, stack)


def check_saboteur(stack: Stack, saboteur: str | None) -> None:
    """Refuse a saboteur that does not exist, and one of the harness: only the system's services would load it.

    Raises:
        UsageError: names those that exist, or says how that one is planted.
    """
    if saboteur is None:
        return
    (found,) = chosen(read_declared(stack), [saboteur], None)
    if any(target.startswith("harness.") for target in found.targets):
        raise UsageError(
            f"{saboteur!r} is a defect of the harness, not of the system: leave --saboteur out, and set "
            f"SABOTEUR={saboteur} PYTHONPATH={stack.saboteur_hook}"
        )


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
