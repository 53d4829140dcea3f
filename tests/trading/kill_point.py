"""The moment at which a process under test is killed: when the n-th chunk of its traffic comes by."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
from collections.abc import Iterator

_AIM_S = 20.0


class KillPoint:
    """Counts the chunks that pass a relay, in both directions, and sends SIGKILL at one of them.

    Args:
        nth: which chunk, counted from 1.
        forward: whether that chunk still arrives, and the process is killed right after; else it is lost.

    Attributes:
        sprung: set once the chunk has come by, before the signal is sent: who sees the process die finds it set. The
            signal may find that the process has just ended.
    """

    def __init__(self, nth: int, *, forward: bool) -> None:
        self.sprung = threading.Event()
        self._nth = nth
        self.forward = forward
        self._numbers = itertools.count(1)
        self._aimed = threading.Event()
        self._pid = 0

    def aim(self, pid: int) -> None:
        """Say which process it is meant for; until then its traffic waits."""
        self._pid = pid
        self._aimed.set()

    @contextlib.contextmanager
    def passing(self) -> Iterator[bool]:
        """Surround the forwarding of a chunk; yields whether it is to be forwarded."""
        assert self._aimed.wait(_AIM_S), "the test did not say which process is to be killed"
        is_hit = next(self._numbers) == self._nth
        if is_hit:
            self.sprung.set()
        if is_hit and not self.forward:
            self._kill()
        yield self.forward or not is_hit
        if is_hit and self.forward:
            self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
