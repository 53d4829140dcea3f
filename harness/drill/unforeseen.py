"""An exception that no part of the harness expected: one line for people, and its trace in a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.errors import HarnessError, Unforeseen
from harness.report.redaction import Redaction

TRACES = "harness-trace.log"
_PREFIX = "trace-of-harness-"
_SHOWN = 300
_NO_SECRETS = Redaction(())


def unforeseen(
    cause: Exception, part: str, *, folder: Path | None = None, redact: Callable[[str], str] = _NO_SECRETS
) -> Unforeseen:
    """Make an error for people of an exception that nothing foresaw, and keep its trace.

    Args:
        cause: the exception; of a group, the first is told, and the trace has them all.
        part: what of the harness failed, as in "in its final reads".
        folder: where the trace goes; into a file of its own for temporary files when that cannot be written.
        redact: takes secrets out of what is written.
    """
    kept = keep_trace(cause, folder, redact)
    where = "its trace could not be kept" if kept is None else f"its trace is in {kept}"
    return Unforeseen(redact(f"the harness failed {part}: {in_a_line(cause)} ({where})"))


def what_failed(cause: Exception, part: str, *, folder: Path | None, redact: Callable[[str], str]) -> str:
    """Say in one line which part of the harness failed and why; of what nothing foresaw, the trace is kept as well.

    Args:
        cause: why; of a group, the first is told.
        part: what of the harness failed, as in "in its final reads".
        folder: where a trace goes.
        redact: takes secrets out of what is written.
    """
    if isinstance(first_of(cause), HarnessError):
        return f"the harness failed {part}: {in_a_line(cause)}"
    return str(unforeseen(cause, part, folder=folder, redact=redact))


def in_a_line(cause: BaseException) -> str:
    """What an exception says, in one line; of one that is not the harness's own, also its type and its place."""
    cause = first_of(cause)
    said = " ".join(str(cause).split())[:_SHOWN]
    if isinstance(cause, HarnessError):
        return said
    name = type(cause).__name__ + (f": {said}" if said else "")
    frames = traceback.extract_tb(cause.__traceback__)
    return f"{name}, in {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else name


def first_of(cause: BaseException) -> BaseException:
    """The exception itself; of a group, the first that it holds, which dragged the others along."""
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause


def why_cancelled(cause: BaseException) -> str:
    """Why a task was cancelled, also where something failed while it ended; empty if it was not told."""
    ahead, seen = [cause], set[int]()
    while ahead:
        each = ahead.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, asyncio.CancelledError) and str(each):
            return str(each)
        ahead += [before for before in (each.__cause__, each.__context__) if before is not None]
        ahead += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
    return ""


def keep_trace(cause: BaseException, folder: Path | None, redact: Callable[[str], str] = _NO_SECRETS) -> Path | None:
    """Append the trace of an exception to the file for traces; None when it can be written nowhere."""
    text = redact("".join(traceback.format_exception(cause)))
    if folder is not None:
        with suppress(OSError):
            path = folder / TRACES
            with path.open("a", encoding="utf-8") as file:
                file.write(text + "\n")
            return path
    with suppress(OSError):
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(name)
    return None
