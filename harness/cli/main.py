"""The commands, and how every error ends: one line on the terminal, the rest in the log, and the right exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import typer
from rich.console import Console
from rich.markup import escape

from harness.cli import drilling, housekeeping
from harness.errors import HarnessError

INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Failure drills for Airflow trading workflows: take the backend and the broker away, and prove what happened.",
    epilog="Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 3 INCONCLUSIVE.",
)
app.command("drill")(drilling.drill)
app.command("list")(drilling.list_scenarios)
app.command("up")(housekeeping.up)
app.command("down")(housekeeping.down)
app.command("clean")(housekeeping.clean)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit code: 0 PASS, 1 FAIL, 2 wrong usage, 3 INCONCLUSIVE, 130 interrupted.
    """
    console = Console(stderr=True)
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name="harness", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        console.print(" interrupted; everything that was started is gone", highlight=False)
        return INTERRUPTED
    except HarnessError as error:
        console.print(f" [bold red]error[/]  {escape(str(error))}", highlight=False, soft_wrap=True)
        if error.evidence:
            console.print(escape(error.evidence), highlight=False, soft_wrap=True, style="dim")
        return error.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
