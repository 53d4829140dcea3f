"""The folder of charts, on a file system that may hang: read in threads of its own, and never waited for long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_AT_ONCE = 4
_READ_S = 1.4
_PROBE_S = 0.9


class ChartMissing(Exception):
    """There is no such chart in the folder."""


class ChartsUnavailable(Exception):
    """The folder cannot be read now."""


class ChartFolder:
    """Where the workflow puts its charts.

    Args:
        path: the folder; the first chart makes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def read(self, name: str) -> bytes:
        """Read a chart.

        Args:
            name: relative to the folder.

        Raises:
            ChartMissing: it is not there, or lies outside the folder.
            ChartsUnavailable: the folder does not answer, or may not be read.
        """

        def work() -> bytes:
            folder = self._path.resolve()
            chart = (folder / name).resolve()
            if not chart.is_relative_to(folder):
                raise ChartMissing(f"{name} lies outside the folder of charts")
            return chart.read_bytes()

        try:
            return await self._in_thread(work, _READ_S)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError) as missing:
            raise ChartMissing(f"{name} is not in the folder of charts") from missing
        except OSError as error:
            raise ChartsUnavailable(f"{name} cannot be read: {error}") from error

    async def problem(self) -> str:
        """Say why the folder cannot be read; empty when it can, or when no chart has made it yet."""

        def work() -> None:
            with contextlib.suppress(FileNotFoundError), os.scandir(self._path) as entries:
                next(entries, None)

        try:
            await self._in_thread(work, _PROBE_S)
        except (OSError, ChartsUnavailable) as error:
            return str(error)
        return ""

    async def _in_thread(self, work: Callable[[], T], deadline_s: float) -> T:
        try:
            async with asyncio.timeout(deadline_s):
                await self._places.acquire()
                return await asyncio.wrap_future(self._start(work))
        except TimeoutError:
            raise ChartsUnavailable(f"{self._path} did not answer within {deadline_s:g} s") from None

    def _start(self, work: Callable[[], T]) -> Future[T]:
        loop = asyncio.get_running_loop()
        ended: Future[T] = Future()
        ended.set_running_or_notify_cancel()

        def run() -> None:
            try:
                ended.set_result(work())
            except Exception as failure:  # noqa: BLE001 - it is raised where it is waited for
                ended.set_exception(failure)
            with contextlib.suppress(RuntimeError):  # the loop has ended before the thread
                loop.call_soon_threadsafe(self._places.release)

        # A daemon, and none of the loop's own executor: one that hangs must not hold up the process's end, nor the
        # look-up of the database's name.
        threading.Thread(target=run, name="charts", daemon=True).start()
        return ended
