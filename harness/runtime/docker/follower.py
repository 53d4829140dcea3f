"""Everything that a container writes, from its first byte, and its end: one thread for each start of a container."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator

import requests
from docker.errors import APIError, DockerException
from docker.models.containers import Container
from docker.types import CancellableStream

from harness.errors import DeadlineExceeded

END_DEADLINE_S = 15.0
_UP = frozenset({"running", "paused", "restarting"})


class Follower:
    """Follows one run of a container; made before it starts, so that nothing is missed.

    A thread rather than the event loop: the SDK blocks, and a log that is read late makes times wrong.

    Args:
        container: a container that does not run yet.
        output_fd: where its output goes; closed when it has ended.
    """

    def __init__(self, container: Container, output_fd: int) -> None:
        self._container = container
        self._output_fd = output_fd
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[int | None] = self._loop.create_future()
        self._thread: threading.Thread | None = None

    def attach(self, *, earlier: bool = False, since_s: float | None = None) -> None:
        """Listen from now on; blocks until the engine has agreed.

        Args:
            earlier: whether what it has written before is wanted, too: of a container that runs already.
            since_s: from when on, in seconds since 1970; None for all of it.
        """
        # Not attach with earlier logs: the SDK reads the socket itself, and loses what had come along with the answer.
        output: Iterator[bytes] = (
            self._container.logs(stdout=True, stderr=True, stream=True, follow=True, since=since_s)
            if earlier
            else self._container.attach(stdout=True, stderr=True, stream=True)
        )
        name = f"follow-{self._container.name}"
        self._thread = threading.Thread(target=self._follow, args=(output,), name=name, daemon=True)
        self._thread.start()

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs, or when the engine cannot say any more."""
        return self._end.result() if self._end.done() else None

    @property
    def over(self) -> bool:
        """Whether it has ended, or the engine is gone."""
        return self._end.done()

    async def ended(self) -> int | None:
        """Wait for its end; None when the engine went away first."""
        return await asyncio.shield(self._end)

    async def until_over(self, deadline_s: float = END_DEADLINE_S) -> int | None:
        """Wait for its end, which was asked for.

        Raises:
            DeadlineExceeded: it still runs.
        """
        try:
            async with asyncio.timeout(deadline_s):
                return await self.ended()
        except TimeoutError:
            raise DeadlineExceeded(f"{self._container.name} still runs {deadline_s:g} s after it was to end") from None

    def give_up(self) -> None:
        """Close what would have taken its output: it never started."""
        if self._thread is None:
            os.close(self._output_fd)

    def _follow(self, output: Iterator[bytes]) -> None:
        code: int | None = None
        try:
            for chunk in output:
                self._keep(chunk)
            _close(output)
            # Its output may end before it does.
            code = int(self._container.wait(timeout=None)["StatusCode"])
        except (DockerException, requests.RequestException, OSError, ValueError):
            code = None
        finally:
            os.close(self._output_fd)
            self._tell(code)

    def _keep(self, chunk: bytes) -> None:
        try:
            os.write(self._output_fd, chunk)
        except OSError:
            return  # a full disk must not stop the reading: a container whose output is not taken would stand still

    def _tell(self, code: int | None) -> None:
        def settle() -> None:
            if not self._end.done():
                self._end.set_result(code)

        try:
            self._loop.call_soon_threadsafe(settle)
        except RuntimeError:
            return  # the loop was closed in the meantime, and no task waits


def _close(output: Iterator[bytes]) -> None:
    """Close a stream with its connection, which the SDK leaves to the garbage collector."""
    if isinstance(output, CancellableStream):
        output.close()
        # Closing the stream alone leaves its file open; the SDK offers no other way to it.
        vars(output)["_response"].close()


def kill_unless_down(container: Container) -> None:
    """Kill a container (SIGKILL); one that is down already need not be."""
    try:
        container.kill()
    except APIError:
        # Docker and Podman refuse in different words to kill what is down: what counts is that it is.
        container.reload()
        if container.status in _UP:
            raise
