"""Whether the logs that a verdict rests on stay: one that is removed in mid-drill would read like silence."""

from __future__ import annotations

from collections.abc import Mapping

from harness.history.history import HistoryWriter
from harness.history.measurements import EvidenceMissing
from harness.runtime.logs import LogDirectory, LogFile


class LogWatch:
    """Notes every log that was there and is gone, is another file, or has shrunk.

    Args:
        logs: the logs of a running stack.
        history: where it is noted.
    """

    def __init__(self, logs: LogDirectory, history: HistoryWriter) -> None:
        self._logs = logs
        self._history = history
        self._known: Mapping[str, LogFile] = logs.seen()

    def look(self) -> None:
        """Compare the logs with the last look."""
        known, self._known = self._known, self._logs.seen()
        for name, before in known.items():
            if (what := _missing(before, self._known.get(name))) is not None:
                self._history.add(EvidenceMissing(what=f"logs/{name} {what}"))


def _missing(before: LogFile, now: LogFile | None) -> str | None:
    if now is None:
        return f"was removed in mid-drill, with {before.size_bytes} bytes in it"
    if now.inode != before.inode:
        return f"was replaced by another file in mid-drill; the one before had {before.size_bytes} bytes"
    if now.size_bytes < before.size_bytes:
        return f"shrank in mid-drill from {before.size_bytes} to {now.size_bytes} bytes"
    if not now.head.startswith(before.head):
        return f"was written anew in mid-drill, over at least {before.size_bytes} bytes"
    return None
