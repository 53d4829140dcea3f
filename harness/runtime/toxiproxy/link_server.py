"""One Toxiproxy server with the one proxy of a link, in a process of this machine or in a container."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from harness.runtime.toxiproxy.control import Control
from harness.runtime.toxiproxy.link_log import LinkLog


class LinkServer(Protocol):
    """A server that listens.

    Args:
        control: its control API.
    """

    control: Control

    @property
    def alive(self) -> bool:
        """Whether it runs."""

    async def ended(self) -> object:
        """Wait for its end, without a deadline: for a watcher."""

    async def kill(self) -> None:
        """Kill it at once; its connections end."""


StartServer = Callable[[LinkLog], Awaitable[LinkServer]]
"""Starts another server in the same place, with a proxy without toxics; its output goes to the log."""
