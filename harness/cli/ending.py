"""How a command ends that came to no good end: one line on the terminal, the rest below it, and the exit code."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from harness.errors import HarnessError

INTERRUPTED = 130


def tell(console: Console, error: HarnessError) -> int:
    """Tell an error to people.

    Returns:
        The exit code that goes with it.
    """
    console.print(f" [bold red]error[/]  {escape(str(error))}", highlight=False, soft_wrap=True)
    if error.evidence:
        console.print(escape(error.evidence), highlight=False, soft_wrap=True, style="dim")
    return error.exit_code


def tell_of_signal(console: Console, signal: KeyboardInterrupt) -> int:
    """Tell which signal ended a command, if it is known.

    Returns:
        The exit code that goes with it.
    """
    by = f" by {signal}" if str(signal) else ""
    console.print(f" interrupted{by}; everything that was started is gone", highlight=False)
    return INTERRUPTED
