"""The append-only record of one drill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from harness.errors import ReportNotWritten
from harness.history.events import Event
from harness.validated import Strict

E = TypeVar("E")
_Redact = Callable[[str], str]


class Entry(Strict):
    """One line of the history: an event and when it happened.

    Args:
        seq: its place, from 1.
        at_s: seconds since the drill began, on the monotonic clock.
        event: what happened.
    """

    seq: int
    at_s: float
    event: Event


@dataclass(frozen=True)
class History:
    """A finished history, as checks read it."""

    entries: tuple[Entry, ...]

    def of(self, kind: type[E]) -> Iterator[tuple[Entry, E]]:
        """The entries whose event is of this kind, with the event."""
        for entry in self._by_kind.get(kind, ()):
            if isinstance(entry.event, kind):
                yield entry, entry.event

    @cached_property
    def _by_kind(self) -> Mapping[type, Sequence[Entry]]:
        # A dozen checks ask for a dozen kinds each: a long history must not be gone through every time.
        found: dict[type, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(type(entry.event), []).append(entry)
        return found

    def lines(self, first: Entry | None, last: Entry | None) -> str:
        """Where to look in the file: ``history.jsonl lines 12 to 40``."""
        if first is None:
            return "history.jsonl"
        end = last or self.entries[-1]
        return (
            f"history.jsonl lines {first.seq} to {end.seq}"
            if end.seq != first.seq
            else f"history.jsonl line {first.seq}"
        )


class HistoryWriter:
    """Writes a history as it happens; every line is in the file before the next thing is done.

    Args:
        path: the file, which must not exist yet.
        redact: takes secrets out of a line.
        listener: is told of every entry, once it is in the file.

    Raises:
        ReportNotWritten: the file cannot be written.
    """

    def __init__(self, path: Path, redact: _Redact = str, listener: Callable[[Entry], object] | None = None) -> None:
        self._path = path
        self._redact = redact
        self._listener = listener
        self._entries: list[Entry] = []
        self._start_s = time.monotonic()
        try:
            self._file: IO[str] = path.open("x", encoding="utf-8")
        except OSError as cause:
            raise ReportNotWritten(f"{path}: the history cannot be written: {cause.strerror}") from cause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as cause:
            if error is None:
                raise ReportNotWritten(f"{self._path}: the history cannot be written: {cause.strerror}") from cause

    @property
    def now_s(self) -> float:
        """Seconds since the drill began."""
        return time.monotonic() - self._start_s

    def monotonic_s(self, at_s: float) -> float:
        """The process's monotonic clock (``time.monotonic``) at a time of the drill."""
        return self._start_s + at_s

    def add(self, event: Event) -> Entry:
        """Append an event, now.

        Raises:
            ReportNotWritten: the line cannot be written (the disk is full).
        """
        entry = Entry(seq=len(self._entries) + 1, at_s=round(self.now_s, 6), event=event)
        self._entries.append(entry)
        try:
            self._file.write(self._redact(entry.model_dump_json()) + "\n")
            self._file.flush()
        except OSError as cause:
            raise ReportNotWritten(f"{self._path}: the history cannot be written: {cause.strerror}") from cause
        if self._listener is not None:
            self._listener(entry)
        return entry

    def so_far(self) -> History:
        """What has happened until now."""
        return History(entries=tuple(self._entries))


def read_history(path: Path) -> History:
    """Read a history back from its file."""
    with path.open(encoding="utf-8") as lines:
        return History(entries=tuple(Entry.model_validate_json(line) for line in lines))
