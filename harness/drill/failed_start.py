"""A stack that does not come up: which service it was, what it said last, and where all logs are kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from harness.drill.unforeseen import unforeseen
from harness.errors import HarnessError
from harness.report.redaction import Redaction
from harness.runtime.running import RunningStack

_SHOWN = 200


def told_with_logs(cause: Exception, running: RunningStack, folder: Path | None) -> HarnessError:
    """The error of a start that failed, told with the last line of its service's log.

    Args:
        cause: why it failed.
        running: what has come up of the stack.
        folder: where the logs are kept; nowhere when None.

    Returns:
        An error of the same kind, whose first line says all of it.
    """
    redact = Redaction(running.stack.secrets.values())
    if not isinstance(cause, HarnessError):
        return unforeseen(cause, "as it started the stack", folder=folder, redact=redact)
    kept = None if folder is None else _keep(running, folder / "logs", redact)
    message = str(cause).removesuffix("; its last output:")
    said = [line.strip() for line in cause.evidence.splitlines() if line.strip()]
    if cause.service and said:
        message += f"; its last line: {said[-1][:_SHOWN]}"
    if kept is not None:
        message += f"; its log: {kept / cause.service}.log" if cause.service else f"; the logs: {kept}"
    return type(cause)(redact(message), evidence=redact(cause.evidence), service=cause.service)


def _keep(running: RunningStack, folder: Path, redact: Redaction) -> Path | None:
    """Copy what there is; a log that cannot be kept must not hide why the stack did not come up."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in running.logs.files().items():
            text = path.read_text(encoding="utf-8", errors="replace")
            (folder / name).write_text(redact(text), encoding="utf-8")
        return folder
    return None
