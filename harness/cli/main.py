"""The commands, and how every error ends: one line on the terminal, the rest below it, and the right exit code."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn, ParamSpec

import typer

from harness.cli import drilling, housekeeping, images, init, loading, saboteurs, status
from harness.cli.ending import tell, tell_of_signal
from harness.cli.options import console_for_people
from harness.cli.version import show_versions
from harness.drill.unforeseen import unforeseen
from harness.errors import HarnessError

Parameters = ParamSpec("Parameters")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Failure drills for Airflow trading workflows: take the backend and the broker away, and prove what happened.",
    epilog="Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 3 INCONCLUSIVE.",
)


@app.callback()
def _every_command(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=show_versions,
            is_eager=True,
            help="Show the versions of harness, Python, Airflow, Toxiproxy and engine.",
        ),
    ] = False,
) -> None:
    pass


def ends_the_process(command: Callable[Parameters, int]) -> Callable[Parameters, NoReturn]:
    """Turn what a command returns or raises into the process's end; the signature, which typer reads, stays."""

    @functools.wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> NoReturn:
        raise typer.Exit(_outcome(lambda: command(*arguments, **options)))

    return run


def _outcome(command: Callable[[], int]) -> int:
    console = console_for_people(stderr=True)
    try:
        return command()
    except KeyboardInterrupt as signal:
        return tell_of_signal(console, signal)
    except HarnessError as error:
        return tell(console, error)
    except Exception as cause:  # noqa: BLE001 - exit code 1 would say that the system has failed
        return tell(console, unforeseen(cause, "in its command"))


app.command("drill")(ends_the_process(drilling.drill))
app.command("list")(ends_the_process(drilling.list_scenarios))
app.command("init")(ends_the_process(init.init))
app.command("load")(ends_the_process(loading.load))
app.command("saboteurs")(ends_the_process(saboteurs.saboteurs))
app.command("up")(ends_the_process(housekeeping.up))
app.command("status")(ends_the_process(status.status))
app.command("down")(ends_the_process(housekeeping.down))
app.command("clean")(ends_the_process(housekeeping.clean))

of_images = typer.Typer(no_args_is_help=True, help="The images that a stack's services run as.")
of_images.command("build")(ends_the_process(images.build))
app.add_typer(of_images, name="images")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end the process: 0 PASS, 1 FAIL, 2 wrong usage, 3 INCONCLUSIVE, 130 interrupted."""
    try:
        app(args=arguments, prog_name="harness")
    except Exception as cause:  # noqa: BLE001 - before a command was reached
        sys.exit(tell(console_for_people(stderr=True), unforeseen(cause, "as it read its command line")))
    sys.exit(0)


if __name__ == "__main__":
    main()
