"""A history that goes on in memory when its file cannot be written any more: a full disk must hide no verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from harness.errors import ReportNotWritten
from harness.history.events import Event
from harness.history.history import Entry, HistoryWriter


class LastingHistory(HistoryWriter):
    """Writes a history as it happens, for as long as that can be done, and knows all of it to the end.

    Args:
        path: the file, which must not exist yet.
        redact: takes secrets out of a line.
        listener: is told of every entry.
    """

    def __init__(
        self, path: Path, redact: Callable[[str], str] = str, listener: Callable[[Entry], object] | None = None
    ) -> None:
        self.unwritten = ""
        try:
            super().__init__(path, redact, listener)
        except ReportNotWritten as cause:
            self._go_on_in_memory(str(cause))
        else:
            self._inode = os.fstat(self._file.fileno()).st_ino

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        except ReportNotWritten as cause:
            self.unwritten = self.unwritten or str(cause)

    def add(self, event: Event) -> Entry:
        """Append an event, now; into the file, as long as it can be written."""
        try:
            return super().add(event)
        except ReportNotWritten as cause:
            with suppress(OSError):
                self._file.close()
            self._go_on_in_memory(str(cause))
            entry = self._entries[-1]
            if self._listener is not None:
                self._listener(entry)
            return entry

    def was_removed(self) -> bool:
        """Whether the file that was written is not there any more."""
        if self.unwritten:
            return False
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:
            return True

    def write_anew(self) -> None:
        """Write the whole history once more, in the place where it should be.

        Raises:
            OSError: it cannot be written.
        """
        unfinished = self._path.with_suffix(".unfinished")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                file.writelines(self._redact(entry.model_dump_json()) + "\n" for entry in self._entries)
            unfinished.replace(self._path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def _go_on_in_memory(self, why: str) -> None:
        self.unwritten = why
        self._file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed at the end of the history
