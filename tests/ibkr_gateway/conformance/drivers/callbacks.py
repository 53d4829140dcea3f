"""Hands the callbacks of the official library, which come in a thread of its own, to the event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Key: TypeAlias = "int | str"
Take: TypeAlias = Callable[[str, tuple[Any, ...]], None]

# What an answer is made of, and what ends it: the request's id is the first argument.
_ROWS = {"contractDetails", "historicalData", "accountSummary", "tickPrice", "tickSize", "execDetails", "pnl"}
_ENDS = {"contractDetailsEnd", "historicalDataEnd", "accountSummaryEnd", "tickSnapshotEnd", "execDetailsEnd", "pnl"}
# Where the protocol gives a request no id, the name of what is asked for stands for it.
_ROWS_WITHOUT_ID = {
    "openOrder": "openOrders",
    "completedOrder": "completedOrders",
    "position": "positions",
    "updateAccountValue": "accountUpdates",
    "currentTime": "currentTime",
}
_ENDS_WITHOUT_ID = {
    "openOrderEnd": "openOrders",
    "completedOrdersEnd": "completedOrders",
    "positionEnd": "positions",
    "accountDownloadEnd": "accountUpdates",
    "currentTime": "currentTime",
}


@dataclass(slots=True)
class Answer:
    """What has come in answer to one request."""

    rows: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    is_whole: asyncio.Event = field(default_factory=asyncio.Event)


class Answers:
    """The answers that are awaited."""

    def __init__(self) -> None:
        self._awaited: dict[Key, Answer] = {}

    def expect(self, key: Key) -> Answer:
        """Begin to collect."""
        self._awaited[key] = Answer()
        return self._awaited[key]

    def take(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Enter a callback in the answer that it belongs to, if there is one."""
        if name in _ROWS:
            self.add(arguments[0], name, arguments[1:])
        if name in _ROWS_WITHOUT_ID:
            self.add(_ROWS_WITHOUT_ID[name], name, arguments)
        if name in _ENDS:
            self.end(arguments[0])
        if name in _ENDS_WITHOUT_ID:
            self.end(_ENDS_WITHOUT_ID[name])

    def add(self, key: Key, name: str, arguments: tuple[Any, ...]) -> None:
        """Enter a part of an answer."""
        if answer := self._awaited.get(key):
            answer.rows.append((name, arguments))

    def end(self, key: Key) -> None:
        """Let the thread that waits for an answer have what is there; the library asks for no more after an error, either."""
        if answer := self._awaited.pop(key, None):
            answer.is_whole.set()

    def end_all(self) -> None:
        """Let no thread wait any longer."""
        for key in tuple(self._awaited):
            self.end(key)


def forwarding(wrapper: type, take: Take) -> Any:
    """Make a wrapper whose every callback is taken in the running event loop.

    Args:
        wrapper: the library's EWrapper.
        take: called with the callback's name and its arguments.
    """
    loop = asyncio.get_running_loop()

    def forward(name: str) -> Callable[..., None]:
        def callback(_self: Any, *arguments: Any) -> None:
            loop.call_soon_threadsafe(take, name, arguments)

        return callback

    names = [name for name, _ in inspect.getmembers(wrapper, inspect.isfunction) if not name.startswith("_")]
    return type("Forwarding", (wrapper,), {name: forward(name) for name in names if name != "logAnswer"})()
