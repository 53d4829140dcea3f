"""``python -m harness.daemon``: run a stack until ``harness down``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from harness.daemon.server import Daemon
from harness.drill.description import describe
from harness.drill.interruptible import run_interruptibly
from harness.errors import HarnessError
from harness.report.terminal import TerminalProgress
from harness.runtime.running import RuntimeName


def main() -> int:
    """Run a stack; what goes wrong while it starts is said in the first line."""
    parser = argparse.ArgumentParser(prog="python -m harness.daemon")
    parser.add_argument("--stack", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--saboteur")
    parser.add_argument("--runtime", type=RuntimeName, default=RuntimeName.LOCAL)
    given = parser.parse_args()
    try:
        # With every setting that a crash needs: it is not known yet which scenarios will run on it.
        stack = describe(given.stack, seed=given.seed)
        progress = TerminalProgress(Console(width=200))
        run_interruptibly(Daemon(stack, given.saboteur, given.runtime).run(progress))
    except HarnessError as error:
        print(error, error.evidence, sep="\n")  # noqa: T201 - read by the command that started us
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
