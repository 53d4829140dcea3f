"""A running stack, as a drill sees it: whichever runtime started it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.runtime.logs import LogDirectory
from harness.runtime.notices import Notices
from harness.runtime.service import RunningService
from harness.runtime.session.undo_log import UndoLog
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.stack.addressing import Address
from harness.stack.link import Link
from harness.stack.stack import Stack


class RuntimeName(StrEnum):
    """How a stack may run, as ``--runtime`` has it."""

    LOCAL = "local"
    DOCKER = "docker"


class RunningStack(Protocol):
    """Every service is up and every link goes through its proxy.

    Attributes:
        undo_log: what is to be taken back if the harness dies; None where all of the stack goes with its session.
        project: the Compose project that was running already, and goes on; None where the harness started the stack.
        not_idle: services in which a task of a run that was given up may be at work still; the next reset starts them
            anew.
    """

    stack: Stack
    session_id: str
    directory: Path
    runtime: RuntimeName
    logs: LogDirectory
    notices: Notices
    undo_log: UndoLog | None
    project: str | None
    not_idle: set[str]

    @property
    def ready_s(self) -> Mapping[str, float]:
        """How long each service took to become ready, in seconds."""

    def address(self, service: str, port: int) -> Address:
        """Where a service's port is reached directly, around every proxy."""

    def link_address(self, link: Link) -> Address:
        """Where the client of a link reaches the server: the link's proxy."""

    def rewrite_addresses(self, text: str) -> str:
        """A text of the compose file with direct addresses in it."""

    def service(self, name: str) -> RunningService:
        """A service, to take it down and bring it back."""

    def proxy(self, link: Link) -> LinkProxy:
        """The proxy of a link."""

    async def lost(self) -> str:
        """Wait until what the stack runs on is gone; why nothing can be done any more."""

    async def restart(self, service: str) -> None:
        """End a service with everything that it started, and start it again."""

    def disk_usage(self) -> Mapping[str, int]:
        """How many bytes lie in each directory or volume, by a name for people; nothing where it cannot be seen."""

    async def forget_state(self) -> None:
        """Empty the directories that services declare as state of a run."""

    async def close(self) -> None:
        """End everything."""
