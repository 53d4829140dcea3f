"""``harness saboteurs``."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.cli.options import Reports, Seed, StackFile, console_for_people
from harness.drill.again import DEFAULT_STACK
from harness.drill.description import describe, needs_durability
from harness.drill.interruptible import run_interruptibly
from harness.drill.report_directory import new_report_directory
from harness.errors import ReportNotWritten, UsageError
from harness.history.history import Entry
from harness.saboteurs.code_state import code_state
from harness.saboteurs.declared import chosen, read_declared
from harness.saboteurs.matrix import Matrix
from harness.saboteurs.plan import sample_of, tries_of
from harness.saboteurs.score import score_of
from harness.saboteurs.table import markdown, print_score
from harness.saboteurs.tried import Outcome, Tried, TriedFile

_RESULTS = "saboteurs.jsonl"
_COLOURS = {Outcome.CAUGHT: "green", Outcome.PASSED: "bold red", Outcome.ELSEWHERE: "bold red"}

Names = Annotated[
    list[str] | None, typer.Argument(help="Saboteurs by name; by default all of the system's.", show_default=False)
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Stacks side by side; by default one for two cores.", show_default=False),
]
Resume = Annotated[bool, typer.Option("--resume", help="Leave out what was tried before with the same code.")]
Class = Annotated[str | None, typer.Option("--class", help="Only the saboteurs of this class.", show_default=False)]
Sample = Annotated[
    int | None,
    typer.Option("--sample", min=1, help="Draw so many of them by the seed; all by default.", show_default=False),
]
Sound = Annotated[int, typer.Option("--sound", min=0, help="How many drills to make without a saboteur (0).")]
AsTable = Annotated[
    bool, typer.Option("--table", help="Print the score in Markdown, and nothing else, on standard output.")
]


def saboteurs(
    names: Names = None,
    stack: StackFile = DEFAULT_STACK,
    workers: Workers = None,
    resume: Resume = False,
    reports: Reports = None,
    of_class: Class = None,
    sample: Sample = None,
    seed: Seed = None,
    sound: Sound = 0,
    table: AsTable = False,
) -> int:
    """Plant each known defect, drill the scenarios that should see it, and say which of them were found.

    A saboteur is caught when it was at work in the drill and its named promise blames the system.

    Exit codes: 0 all were caught, 1 one was missed, or a sound drill failed, 2 wrong usage, 3 it could not be told.
    """
    seed = datetime.now(UTC).date().toordinal() if seed is None else seed
    described = describe(stack, seed=seed)
    picked = sample_of(chosen(read_declared(described), _named(names), of_class), sample, seed)
    tries = tries_of(described, picked, sound=sound)
    if not tries:
        raise UsageError("nothing to try: none of these saboteurs names a scenario; name one with --sound, or others")
    if not needs_durability([each.scenario for each in tries]):
        described = describe(stack, seed=seed, relaxed=True)
    parent = reports or described.project / "reports"
    directory = new_report_directory(parent)
    code = code_state(described.project)
    kept = TriedFile(_file(parent, resume=resume))
    wanted = [each.key(code) for each in tries]
    done = {each.key: each for each in kept.of_code(code) if each.key in set(wanted)}
    left = [each for each, key in zip(tries, wanted, strict=True) if key not in done]
    console = console_for_people(stderr=table)
    counts = f"{len(picked)} saboteurs, {len(tries)} drills, {len(left)} drills left"
    console.print(f" seed {seed}, code {code}: {counts}", highlight=False)
    shown = _Shown(console, len(left))
    matrix = Matrix(
        described, left, seed=seed, code=code, directory=directory, kept=kept, progress=_Quiet(), on_tried=shown.add
    )
    try:
        run_interruptibly(_work(matrix, min(workers or max(1, (os.cpu_count() or 1) // 2), max(1, len(left)))))
    finally:
        with contextlib.suppress(OSError):
            # Of drills that never began, nothing is left: a folder that is not empty stays.
            directory.rmdir()
    done |= {each.key: each for each in shown.tried}
    score = score_of([done[key] for key in wanted])
    print_score(console, score)
    console.print(f" report  {directory}       seed  {seed}", highlight=False, soft_wrap=True)
    if table:
        typer.echo(markdown(score, datetime.now(UTC).date()))
    return score.exit_code


async def _work(matrix: Matrix, workers: int) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(matrix.work())
    except BaseExceptionGroup as causes:
        # The first failure is the reason; the others are what it dragged along.
        raise causes.exceptions[0] from None


def _named(names: list[str] | None) -> list[str]:
    return [name.replace("-", "_") for name in names or []]


def _file(parent: Path, *, resume: bool) -> Path:
    """Where results are kept, over several calls."""
    path = parent.absolute() / _RESULTS
    if not resume:
        try:
            path.unlink(missing_ok=True)
        except OSError as cause:
            raise ReportNotWritten(f"{path}: results cannot be kept: {cause.strerror}") from cause
    return path


class _Shown:
    """Prints each result as it comes, and keeps it.

    Args:
        console: where to write.
        count: how many there will be.
    """

    def __init__(self, console: Console, count: int) -> None:
        self.tried: list[Tried] = []
        self._console = console
        self._count = count

    def add(self, tried: Tried) -> None:
        """Show a result."""
        self.tried.append(tried)
        colour = _COLOURS.get(tried.outcome, "yellow")
        name = tried.saboteur or "sound system"
        self._console.print(
            f" {len(self.tried):>3}/{self._count}  [{colour}]{tried.outcome:<12}[/]  {escape(name)} in"
            f" {escape(tried.scenario)}  {tried.took_s:.0f} s  {escape('; '.join(dict.fromkeys(tried.found)))}",
            highlight=False,
            soft_wrap=True,
        )


class _Quiet:
    """Says nothing of the steps of drills, of which several go on at a time."""

    def line(self, text: str) -> None:
        """Nothing."""

    def at_work(self, what: str) -> None:
        """Nothing."""

    def entry(self, entry: Entry) -> None:
        """Nothing."""

    def done(self) -> None:
        """Nothing."""
