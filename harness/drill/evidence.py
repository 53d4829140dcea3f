"""Keeping the evidence of a drill: every log and every read, without secrets, beside the history."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from harness.drill.workloads.workload import TaskLogs
from harness.errors import ReportNotWritten
from harness.history.reads import FinalReads
from harness.report.redaction import Redaction
from harness.runtime.running import RunningStack


def keep_evidence(directory: Path, running: RunningStack, reads: FinalReads, logs: TaskLogs, redact: Redaction) -> None:
    """Write ``reads.json``, ``logs/*`` and ``logs/tasks/<run>/<task>.log``.

    Raises:
        ReportNotWritten: it cannot be written (the disk is full).
    """
    try:
        _keep(directory, running, reads, logs, redact)
    except OSError as cause:
        raise ReportNotWritten(f"{directory}: the evidence cannot be kept: {cause.strerror}") from cause


def _keep(directory: Path, running: RunningStack, reads: FinalReads, logs: TaskLogs, redact: Redaction) -> None:
    text = TypeAdapter(FinalReads).dump_json(reads, indent=2).decode()
    (directory / "reads.json").write_text(redact(text) + "\n", encoding="utf-8")
    _keep_logs(directory, running, logs, redact)


def keep_logs(directory: Path, running: RunningStack, logs: TaskLogs, redact: Redaction) -> None:
    """Write ``logs/*`` and ``logs/tasks/<run>/<task>.log``.

    Raises:
        ReportNotWritten: the disk is full, or the folder cannot be written.
    """
    try:
        _keep_logs(directory, running, logs, redact)
    except OSError as cause:
        raise ReportNotWritten(f"{directory}: the logs cannot be kept: {cause.strerror}") from cause


def _keep_logs(directory: Path, running: RunningStack, logs: TaskLogs, redact: Redaction) -> None:
    (directory / "logs").mkdir()
    for name, path in running.logs.files().items():
        (directory / "logs" / name).write_text(
            redact(path.read_text(encoding="utf-8", errors="replace")), encoding="utf-8"
        )
    for (run, task), log in logs.items():
        folder = directory / "logs" / "tasks" / run
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{task}.log").write_text(redact(log), encoding="utf-8")
