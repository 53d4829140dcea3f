"""What a command and the daemon say to one another: one JSON object a line, over a Unix socket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from harness.history.history import Entry
from harness.report.result import DrillResult
from harness.scenario.model import Scenario


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DrillRequest(_Message):
    """Run these drills and write their report."""

    do: Literal["drill"] = "drill"
    scenarios: list[Scenario]
    seed: int
    directory: Path


class DownRequest(_Message):
    """Take the stack down and end."""

    do: Literal["down"] = "down"


Request = Annotated[DrillRequest | DownRequest, Field(discriminator="do")]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


class LineNews(_Message):
    """A line for the user."""

    news: Literal["line"] = "line"
    text: str


class AtWorkNews(_Message):
    """What is going on until the next word."""

    news: Literal["at_work"] = "at_work"
    text: str


class EntryNews(_Message):
    """An entry of the history."""

    news: Literal["entry"] = "entry"
    entry: Entry


class DoneNews(_Message):
    """The work is done; after drills, their results."""

    news: Literal["done"] = "done"
    results: list[DrillResult] = Field(default_factory=list)


class FailedNews(_Message):
    """The work could not be done."""

    news: Literal["failed"] = "failed"
    message: str
    evidence: str
    exit_code: int


News = Annotated[LineNews | AtWorkNews | EntryNews | DoneNews | FailedNews, Field(discriminator="news")]
NEWS: TypeAdapter[News] = TypeAdapter(News)


class DaemonState(_Message):
    """Where a daemon and its stack are found, as the state file has it.

    Args:
        pid: the daemon's process.
        session: the session that owns the stack.
        socket: where the daemon listens.
        description: what the stack was made from; another description needs another stack.
    """

    pid: int
    session: str
    socket: Path
    description: str
