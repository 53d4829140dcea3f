"""The rows of the tables about the command line: its commands, their options, its exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from harness.checks.finding import Verdict
from harness.cli.ending import INTERRUPTED
from harness.cli.main import app
from harness.errors import HarnessError, UsageError
from harness.reference.rows import Rows

EXIT_CODES: Mapping[int, str] = {
    Verdict.PASS.exit_code: "PASS: every promise held; for other commands: done",
    Verdict.FAIL.exit_code: "FAIL: a promise was broken; for `load`: too few runs succeeded",
    UsageError.exit_code: "wrong usage: what was asked for cannot be run, and nothing was started",
    HarnessError.exit_code: "INCONCLUSIVE, or something kept the harness from its work: the system is not judged",
    INTERRUPTED: "interrupted (SIGINT, SIGTERM, SIGHUP), and no FAIL was found; everything that was started is removed",
}
"""What each exit code of the command line means."""


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Give every command, with the words that call it."""
    yield from _commands("harness", get_command(app))


def _commands(called: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, part in command.commands.items():
            yield from _commands(f"{called} {name}", part)
    elif isinstance(command, TyperCommand):
        yield called, command


def exit_code_rows() -> Rows:
    """Each exit code, and what it means."""
    return [("exit code", "means"), *((str(code), meaning) for code, meaning in EXIT_CODES.items())]


def command_rows() -> Rows:
    """Each command, and what it does."""
    return [("command", "does"), *((f"`{called}`", _first_line(command)) for called, command in commands())]


def option_rows() -> Rows:
    """Each option and argument of each command, and what it says."""
    rows = (
        (f"`{called}`", _names(parameter), parameter.help or "")
        for called, command in commands()
        for parameter in command.params
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.name != "help"
    )
    return [("command", "option", "says"), *rows]


def _first_line(command: TyperCommand) -> str:
    return (command.help or "").strip().partition("\n")[0]


def _names(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        return f"`{str(parameter.name).upper()}…`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
