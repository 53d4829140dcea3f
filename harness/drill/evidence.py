"""Keeping the evidence of a drill: every log and every read, without secrets, beside the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from harness.drill.lasting_history import LastingHistory
from harness.drill.workloads.workload import TaskLogs
from harness.errors import ReportNotWritten
from harness.history.reads import FinalReads
from harness.report.redaction import Redaction
from harness.runtime.running import RunningStack

_SHOWN = 3


def keep_evidence(
    directory: Path,
    running: RunningStack,
    reads: FinalReads,
    logs: TaskLogs,
    history: LastingHistory,
    redact: Redaction,
) -> str:
    """Write ``reads.json``, ``logs/*`` and ``logs/tasks/<run>/<task>.log``, and the history anew if its file was lost.

    It raises nothing: what was found stands, also where its evidence cannot be kept.

    Returns:
        What could not be kept and why, in one line; nothing when all was.
    """
    try:
        removed = history.was_removed()
        directory.mkdir(parents=True, exist_ok=True)
        unkept = list(_unkept_of_history(history, removed=removed))
        text = TypeAdapter(FinalReads).dump_json(reads, indent=2).decode()
        unkept += _unwritten(directory / "reads.json", redact(text) + "\n")
        unkept += _unkept_logs(directory, running, logs, redact)
    except OSError as cause:
        return f"{directory}: the evidence cannot be kept: {cause.strerror}"
    return f"{directory}: {_in_a_line(unkept)}" if unkept else ""


def keep_logs(directory: Path, running: RunningStack, logs: TaskLogs, redact: Redaction) -> None:
    """Write ``logs/*`` and ``logs/tasks/<run>/<task>.log``, as many of them as can be written.

    Raises:
        ReportNotWritten: the disk is full, or the folder cannot be written.
    """
    try:
        unkept = list(_unkept_logs(directory, running, logs, redact))
    except OSError as cause:
        raise ReportNotWritten(f"{directory}: the logs cannot be kept: {cause.strerror}") from cause
    if unkept:
        raise ReportNotWritten(f"{directory}: {_in_a_line(unkept)}")


def _unkept_of_history(history: LastingHistory, *, removed: bool) -> Iterator[str]:
    if not removed and not history.unwritten:
        return
    try:
        history.write_anew()
    except OSError as cause:
        yield f"history.jsonl cannot be kept: {cause.strerror}"
    else:
        if removed:
            yield "history.jsonl was removed in mid-drill; it was written anew"


def _unkept_logs(directory: Path, running: RunningStack, logs: TaskLogs, redact: Redaction) -> Iterator[str]:
    (directory / "logs").mkdir(exist_ok=True)
    for name, path in running.logs.files().items():
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as cause:
            yield f"logs/{name} cannot be read: {cause.strerror}"
        else:
            yield from _unwritten(directory / "logs" / name, redact(text))
    for (run, task), log in logs.items():
        folder = directory / "logs" / "tasks" / run
        folder.mkdir(parents=True, exist_ok=True)
        yield from _unwritten(folder / f"{task}.log", redact(log))


def _unwritten(path: Path, text: str) -> Iterator[str]:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as cause:
        yield f"{path.name} cannot be kept: {cause.strerror}"


def _in_a_line(unkept: Sequence[str]) -> str:
    more = f"; and {len(unkept) - _SHOWN} more" if len(unkept) > _SHOWN else ""
    return "; ".join(unkept[:_SHOWN]) + more
