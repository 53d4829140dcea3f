"""A session: everything that one harness process starts, under one name, so that all of it can be removed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import HarnessError
from harness.runtime.session.ports import PortBlock, PortRange
from harness.runtime.session.process_tree import DIRECTORY_VARIABLE, SESSION_VARIABLE
from harness.runtime.session.reaper import Reaper
from harness.runtime.session.removal import Removed, remove_session

DIRECTORY_PREFIX = "harness-"
# Its time of change is the beginning of the session.
BEGAN_FILE = "began"
# What a service may learn of the machine; the rest of our environment (tokens, proxies, PYTHON…) does not concern it.
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Session:
    """An open session: an id, a directory, a block of ports, and a reaper that removes it all.

    Args:
        session_id: eight hexadecimal digits.
        directory: its temporary directory, readable by this user alone.
        ports: its block of ports.
        reaper: the process that cleans up.
    """

    def __init__(self, session_id: str, directory: Path, ports: PortBlock, reaper: Reaper) -> None:
        self.id = session_id
        self._began_at_s = time.time()
        self._removed: Removed | None = None
        self.directory = directory
        self.ports = ports
        self.reaper = reaper
        # While this lock is held, no other session takes this one for dead.
        self._lock = os.open(directory, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        (directory / BEGAN_FILE).touch()
        (directory / "tmp").mkdir()

    @classmethod
    async def open(cls, ports: PortRange | None = None) -> Session:
        """Open a session; the reaper comes first, so that there is no moment without it.

        Args:
            ports: the ports to claim a block from; by default those of ``HARNESS_PORTS``.

        Raises:
            PortsExhausted: no block is free.
            SetUpError: the temporary directory cannot be made.
        """
        block = PortBlock.claim(ports or PortRange.from_environment())
        session_id = secrets.token_hex(4)
        directory = Path(tempfile.gettempdir()) / f"{DIRECTORY_PREFIX}{session_id}"
        try:
            reaper = await Reaper.start(session_id, directory, guard_fd=block.guard.fileno())
        except BaseException:
            block.close()
            raise
        return cls(session_id, directory, block, reaper)

    @property
    def marks(self) -> Mapping[str, str]:
        """The variables by which a process of this session is known."""
        return {SESSION_VARIABLE: self.id, DIRECTORY_VARIABLE: str(self.directory)}

    def environment(self) -> dict[str, str]:
        """Give a clean environment to start a service from: no secrets, and temporary files inside the session."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return passed_on | {"LANG": "C.UTF-8", "TMPDIR": str(self.directory / "tmp"), **self.marks}

    async def close(self) -> Removed:
        """Remove everything that the session started and wrote; a second call only tells it again.

        Raises:
            DeadlineExceeded: the reaper did not end in time.
            HarnessError: something is left; the message names it.
        """
        if self._removed is not None:
            return self._removed
        removed = await self.reaper.close()
        if removed is None:
            # The reaper was killed: do its work here.
            removed = await asyncio.to_thread(
                remove_session,
                self.id,
                self.directory,
                self.reaper.groups,
                began_at_s=self._began_at_s,
                engine=self.reaper.engine,
            )
        self.ports.close()
        os.close(self._lock)
        self._removed = removed
        if not removed.whole:
            processes = ", ".join(map(str, removed.left)) or "none"
            in_engine = f"; in the engine: {', '.join(removed.engine.left)}" if removed.engine.left else ""
            raise HarnessError(
                f"session {self.id} could not be removed whole: processes left: {processes}{in_engine}; directory "
                f"{self.directory} {'removed' if removed.directory_removed else 'left'}; `harness clean`, or by hand"
            )
        return removed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except HarnessError as left:
            if not isinstance(error, HarnessError):
                raise
            # What went wrong first is the reason; that something is left is what follows from it.
            error.evidence = "\n".join(filter(None, (error.evidence, str(left))))
