"""Sets everything up, then runs a command: ``python3 -m bootstrap [COMMAND [ARGUMENT…]]``.

The Makefile's targets are these commands, so that a machine without make has them too.
"""
# ruff: noqa: T201 - it speaks to a person at a terminal

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from bootstrap.lanes import LANES, run_lane
from bootstrap.ready import ROOT, SetUpFailedError, set_up, tool

FAILED = 3
INTERRUPTED = 130
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("mypy", "-p", "bootstrap"),
    # What others import is read by a second type checker, as theirs may be another one than ours.
    ("ty", "check", "harness/__init__.py", "tests/house/public_api_usage.py"),
    ("lint-imports",),
)
HARNESS_COMMANDS = ("drill", "list", "up", "status", "down", "clean", "load", "images")
# Programs of the environment that stand for a command of ours; all others are the harness's own.
PROGRAMS = {"test": ("pytest", "-rs"), "bench": ("python", "-m", "benchmarks")}
KNOWN = ("setup", "check", *LANES, "bench", *HARNESS_COMMANDS, "engine")


def main(arguments: list[str]) -> int:
    """Set up, then run the command, if there is one.

    Args:
        arguments: the command and what follows it.
    """
    command = arguments[0] if arguments else "setup"
    if command not in KNOWN:
        print(f"unknown command {command!r}: it should be one of {', '.join(KNOWN)}", file=sys.stderr)
        return 2
    to_set_up = set_up
    if command == "engine":
        from bootstrap.engine import set_up_engine as to_set_up  # noqa: PLC0415 - the others need not wait for it
    if failed := attempt(to_set_up):
        return failed
    os.chdir(ROOT)
    # Bytecode that is not written is compiled anew by every process of every drill and of every test.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if command in ("setup", "engine"):
        return 0
    if command == "check":
        return check()
    # What is named may be of any lane: it runs as it is, in one run of pytest.
    if command in LANES and (command != "test" or len(arguments) == 1):
        return run_lane(command, arguments[1:])
    program = PROGRAMS.get(command, ("harness", command))
    # In place of this process, so that signals and the exit code are the command's own. Its own name is the whole path:
    # Python finds its environment by it, and a bare "python" would be looked up on PATH.
    return os.execv(tool(program[0]), [tool(program[0]), *program[1:], *arguments[1:]])  # noqa: S606 - a program of our own environment


def attempt(to_set_up: Callable[[], None]) -> int:
    """Set up; give 0, or the exit code of what kept it from being done, which is told in one line."""
    try:
        to_set_up()
    except SetUpFailedError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"set-up failed: {error}: make room, or make the project's folder writable", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("set-up interrupted: the next run starts it again", file=sys.stderr)
        return INTERRUPTED
    return 0


def check() -> int:
    """Run every check, also after one that failed, and name those that did."""
    import subprocess  # noqa: PLC0415 - the other commands must not wait for it

    failed = [each for each in CHECKS if subprocess.run([tool(each[0]), *each[1:]], check=False).returncode != 0]
    for each in failed:
        print(f" failed  {' '.join(each)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
