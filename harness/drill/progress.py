"""Those who want to know how drills go: a terminal, or a command at the other end of a socket."""

from __future__ import annotations

from typing import Protocol

from harness.history.history import Entry


class Progress(Protocol):
    """Is told of every step."""

    def line(self, text: str) -> None:
        """A line for the user."""

    def at_work(self, what: str) -> None:
        """What is going on until the next word."""

    def entry(self, entry: Entry) -> None:
        """An entry of the history."""

    def done(self) -> None:
        """Nothing more is going on."""
