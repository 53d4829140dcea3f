"""``harness load``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from harness.cli.drilling import check_saboteur
from harness.cli.ending import tell
from harness.cli.options import Reports, RuntimeOption, Saboteur, Seed, StackFile, console_for_people
from harness.daemon.client import find_daemon, load_on
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import any_seed, describe
from harness.drill.interruptible import run_interruptibly
from harness.drill.opening import running_stack
from harness.drill.progress import Progress
from harness.drill.report_directory import new_report_directory
from harness.errors import ReportNotWritten, UsageError
from harness.load.loading import load_stack_with_runs, require_loadable
from harness.load.plan import LoadPlan, load_profile
from harness.load.report import document, print_load
from harness.load.result import LoadResult
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RuntimeName
from harness.stack.stack import Stack

PROFILES = Path("scenarios", "load")

Profile = Annotated[
    str | None,
    typer.Option("--profile", help="A load profile, by name (scenarios/load/) or file; options here outweigh it."),
]
RunCount = Annotated[
    int | None, typer.Option("--runs", help="How many runs, one after the other (5).", show_default=False)
]
Threshold = Annotated[
    float | None,
    typer.Option("--success-threshold", help="The share of runs that must succeed, 0 to 1 (1).", show_default=False),
]
RunLimit = Annotated[
    float | None,
    typer.Option("--run-limit-s", help="A run that takes longer has failed, in seconds (120).", show_default=False),
]
Symbols = Annotated[
    str | None, typer.Option("--symbols", help="What each run trades, as in AAPL,MSFT (AAPL).", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on standard output.")]


def load(
    profile: Profile = None,
    runs: RunCount = None,
    success_threshold: Threshold = None,
    run_limit_s: RunLimit = None,
    symbols: Symbols = None,
    stack: StackFile = DEFAULT_STACK,
    seed: Seed = None,
    reports: Reports = None,
    runtime: RuntimeOption = RuntimeName.LOCAL,
    saboteur: Saboteur = None,
    json: Json = False,
) -> int:
    """Start the workflow again and again with Locust, one run after the other, and say whether enough runs succeeded.

    It runs on the stack that `harness up` has started, if there is one.

    Exit codes: 0 the threshold is met, 1 it is not, 2 wrong usage, 3 the load could not be brought.
    """
    seed = any_seed() if seed is None else seed
    described = describe(stack, seed=seed)
    require_loadable(described)
    check_saboteur(described, saboteur)
    plan = load_profile(profile, described.project / PROFILES) if profile else LoadPlan()
    plan = outweigh(
        plan,
        runs=runs,
        success_threshold=success_threshold,
        run_limit_s=run_limit_s,
        symbols=None if symbols is None else [symbol.strip() for symbol in symbols.split(",") if symbol.strip()],
    )
    directory = new_report_directory(reports or described.project / "reports")
    console = console_for_people(stderr=json)
    result = run_interruptibly(_load(described, plan, directory, runtime, saboteur, TerminalProgress(console)))
    with suppress(OSError):
        # The exit code tells the result, also when what should read it is gone.
        print_load(console, result)
        console.print(f" report  {directory}       seed  {seed}", highlight=False, soft_wrap=True)
        if json:
            typer.echo(document(result).model_dump_json(indent=2))
    if result.unwritten:
        trouble = tell(console, ReportNotWritten(result.unwritten))
        return trouble if result.met else 1
    return 0 if result.met else 1


async def _load(
    stack: Stack, plan: LoadPlan, directory: Path, runtime: RuntimeName, saboteur: str | None, progress: Progress
) -> LoadResult:
    try:
        if (state := await find_daemon(stack, saboteur, runtime)) is not None:
            return await load_on(state, plan, directory=directory, progress=progress)
        async with running_stack(stack, progress, saboteur, runtime, logs_kept_in=directory) as running:
            return await load_stack_with_runs(running, plan, directory=directory, progress=progress)
    finally:
        progress.done()


def outweigh(plan: LoadPlan, **options: object) -> LoadPlan:
    """Put what the command line says in the place of what the profile says.

    Raises:
        UsageError: a value is out of its range; the message names the option and the range.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return LoadPlan.model_validate(plan.model_dump() | given)
    except ValidationError as cause:
        detail = cause.errors(include_url=False)[0]
        name = str(detail["loc"][0])
        message = detail["msg"][:1].lower() + detail["msg"][1:]
        raise UsageError(f"--{name.replace('_', '-')}: {message}, got {given[name]!r}") from cause
