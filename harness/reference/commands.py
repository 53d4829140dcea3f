"""The page of the commands: ``python -m harness.reference.commands > docs/commands.md`` makes it anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from harness.checks.finding import Verdict
from harness.cli.main import INTERRUPTED, app
from harness.errors import HarnessError, UsageError

EXIT_CODES: Mapping[int, str] = {
    Verdict.PASS.exit_code: "PASS: every promise held; for other commands: done",
    Verdict.FAIL.exit_code: "FAIL: a promise was broken; for `load`: too few runs succeeded",
    UsageError.exit_code: "wrong usage: what was asked for cannot be run, and nothing was started",
    HarnessError.exit_code: "INCONCLUSIVE, or something kept the harness from its work: the system is not judged",
    INTERRUPTED: "interrupted; everything that was started is removed",
}
"""What each exit code of the command line means."""


def commands_page() -> str:
    """Write the page: the exit codes, and each command with its options."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    head = f"# Commands\n\n| exit code | means |\n| --- | --- |\n{codes}"
    return head + "".join(_section(called, command) for called, command in commands())


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Give every command, with the words that call it."""
    yield from _commands("harness", get_command(app))


def _commands(called: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, part in command.commands.items():
            yield from _commands(f"{called} {name}", part)
    elif isinstance(command, TyperCommand):
        yield called, command


def _section(called: str, command: TyperCommand) -> str:
    rows = "".join(
        f"| {_names(parameter)} | {parameter.help or ''} |\n"
        for parameter in command.params
        if isinstance(parameter, TyperArgument | TyperOption) and parameter.name != "help"
    )
    table = f"\n| option | says |\n| --- | --- |\n{rows}" if rows else ""
    return f"\n## {called}\n\n{(command.help or '').strip()}\n{table}"


def _names(parameter: TyperArgument | TyperOption) -> str:
    if isinstance(parameter, TyperArgument):
        return f"`{str(parameter.name).upper()}…`"
    return ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))


if __name__ == "__main__":
    print(commands_page(), end="")  # noqa: T201 - it is a program
