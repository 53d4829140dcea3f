"""``python -m trading.doctor [--json] [--backend-log FILE] [--code PATH] [--deadline-s SECONDS]``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from rich.console import Console

from trading.doctor.examination import examine
from trading.doctor.registry import CHECKS
from trading.doctor.report import as_json, exit_code, show
from trading.doctor.surroundings import DEADLINE_S, Surroundings

_LONGEST_S = 600


def main(arguments: list[str] | None = None) -> int:
    """Make the diagnosis and print it.

    Returns:
        0 when nothing failed, 1 when something did; wrong usage ends with 2.
    """
    given = _parse(arguments)
    # What the checks try is told in the report, in words that are meant for it.
    logging.getLogger().addHandler(logging.NullHandler())
    at = Surroundings.read(deadline_s=given.deadline_s, backend_log=given.backend_log, code=tuple(given.code))
    lines = asyncio.run(examine(CHECKS, at))
    if given.json:
        print(as_json(lines))  # noqa: T201 - the answer
    else:
        show(lines, Console())
    return exit_code(lines)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trading.doctor",
        description="Diagnose the trading workflow in one go, from here and from where its tasks run.",
        epilog="Exit code: 0 nothing failed, 1 something did, 2 wrong usage. Settings come from the environment.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--backend-log", type=Path, metavar="FILE", help="the backend's log, to look for failed requests"
    )
    parser.add_argument(
        "--code",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or folder to look through for silenced exceptions; repeatable (default: the workflow's own code)",
    )
    parser.add_argument(
        "--deadline-s",
        type=_seconds,
        default=DEADLINE_S,
        metavar="SECONDS",
        help="for each check; those that wait for a worker have more (default: %(default)g)",
    )
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    problem = f"expected more than 0 and at most {_LONGEST_S} seconds, came {text}"
    try:
        seconds = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(problem) from None
    if not 0 < seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(problem)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
