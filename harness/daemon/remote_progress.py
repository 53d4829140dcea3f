"""How work in the daemon goes, for the command at the other end of the socket and for those that ask meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Literal

from harness.daemon.messages import AtWorkNews, EntryNews, LineNews, News
from harness.daemon.status import Work
from harness.history.events import DrillStarted, PhaseBegan
from harness.history.history import Entry


class RemoteProgress:
    """Tells the command at the other end how the work goes.

    Args:
        writer: the command's connection.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.work: Work | None = None

    def begin(self, what: Literal["drill", "load"]) -> None:
        """From now on there is work."""
        self.work = Work(what=what, since=datetime.now(UTC))

    def line(self, text: str) -> None:
        """A line for the user."""
        self.send(LineNews(text=text))

    def at_work(self, what: str) -> None:
        """What is going on until the next word."""
        self._note(step=what.removesuffix("…").strip())
        self.send(AtWorkNews(text=what))

    def entry(self, entry: Entry) -> None:
        """An entry of the history."""
        match entry.event:
            case DrillStarted(scenario=scenario):
                self._note(name=scenario, step="")
            case PhaseBegan(phase=phase):
                self._note(step=phase)
        self.send(EntryNews(entry=entry))

    def done(self) -> None:
        """Nothing more is going on."""

    def send(self, news: News) -> None:
        """One message; a command that does not listen any more misses it."""
        if not self._writer.is_closing():
            self._writer.write(news.model_dump_json(by_alias=True).encode() + b"\n")

    def _note(self, **what: str) -> None:
        if self.work is not None:
            self.work = self.work.model_copy(update=what)
