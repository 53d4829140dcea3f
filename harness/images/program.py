"""Programs of this machine that make parts of images: run to their end, and their failures told in one line."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from harness.errors import DeadlineExceeded
from harness.images.engine import failure

_DEADLINE_S = 600
_EVIDENCE_LINES = 20


def run_program(command: Sequence[str], what: str) -> None:
    """Run a program that says nothing when all is well.

    Args:
        command: the program and its arguments; no shell reads them.
        what: what it does, as in "fetching the packages of …".

    Raises:
        SetUpError: it failed; the message has its last line, the evidence those before.
        DeadlineExceeded: it was not done after ten minutes.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(f"{what} was not done after {_DEADLINE_S} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        last = said[-1] if said else f"{command[0]} ended with exit code {done.returncode}"
        raise failure(what, last, "\n".join(said[-_EVIDENCE_LINES:]))
