"""What a command and the daemon say to one another: one JSON object a line, over a Unix socket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from harness.daemon.status import StackStatus
from harness.history.history import Entry
from harness.load.plan import LoadPlan
from harness.load.result import LoadResult
from harness.report.result import DrillResult
from harness.scenario.model import Scenario
from harness.validated import Strict


class DrillRequest(Strict):
    """Run these drills and write their report; the daemon may run in another directory: the path is absolute."""

    do: Literal["drill"] = "drill"
    scenarios: list[Scenario]
    seed: int
    directory: Path


class LoadRequest(Strict):
    """Bring this load and write its report; the path is absolute here too."""

    do: Literal["load"] = "load"
    plan: LoadPlan
    directory: Path


class StatusRequest(Strict):
    """Say how the stack is."""

    do: Literal["status"] = "status"


class DownRequest(Strict):
    """Take the stack down and end."""

    do: Literal["down"] = "down"


Request = Annotated[DrillRequest | LoadRequest | StatusRequest | DownRequest, Field(discriminator="do")]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


class LineNews(Strict):
    """A line for the user."""

    news: Literal["line"] = "line"
    text: str


class AtWorkNews(Strict):
    """What is going on until the next word."""

    news: Literal["at_work"] = "at_work"
    text: str


class EntryNews(Strict):
    """An entry of the history."""

    news: Literal["entry"] = "entry"
    entry: Entry


class ResultNews(Strict):
    """One drill is over, or was broken off; others may follow."""

    news: Literal["result"] = "result"
    result: DrillResult


class DrilledNews(Strict):
    """The drills are over; the last word."""

    news: Literal["drilled"] = "drilled"
    results: list[DrillResult]


class LoadedNews(Strict):
    """The load is over; the last word."""

    news: Literal["loaded"] = "loaded"
    result: LoadResult


class StatusNews(Strict):
    """How the stack is; the last word."""

    news: Literal["status"] = "status"
    status: StackStatus


class DownNews(Strict):
    """The stack goes down from now on; the last word."""

    news: Literal["down"] = "down"


class FailedNews(Strict):
    """What was asked for could not be done; the last word."""

    news: Literal["failed"] = "failed"
    message: str
    evidence: str
    exit_code: int


News = Annotated[
    LineNews | AtWorkNews | EntryNews | ResultNews | DrilledNews | LoadedNews | StatusNews | DownNews | FailedNews,
    Field(discriminator="news"),
]
NEWS: TypeAdapter[News] = TypeAdapter(News)


class DaemonState(Strict):
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
