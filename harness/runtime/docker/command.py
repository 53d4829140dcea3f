"""A command that runs in a service's container: to its end, or until it is given up, which ends it in there too.

The engine starts commands and cannot end them, and the process id that it tells means nothing in the container. So the
command bears a mark in its environment, as every process that it starts does, and a second command finds the mark.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from docker.errors import DockerException, NotFound
from docker.models.containers import Container

from harness.errors import HarnessError
from harness.runtime.docker.container_api import client_of
from harness.runtime.docker.engine import Engine

_MARK = "HARNESS_COMMAND"
_ENDS_WITHIN_S = 10.0
_NOT_STARTED = -1
# With nothing but a shell and grep, which nearly every image has; it looks until it finds none, for what is killed may
# have started another process just before. Its own environment holds no mark.
_END_ALL = """\
for look in 1 2 3 4 5 6 7 8 9 10; do
  found=
  for process in /proc/[0-9]*; do
    if grep -qs "$1" "$process/environ"; then kill -9 "${process#/proc/}" 2>/dev/null; found=yes; fi
  done
  [ -z "$found" ] && exit 0
done
exit 1
"""


class ContainerCommand:
    """One command in a container.

    Args:
        engine: where it runs.
        container: the service's, which runs.
        argv: the command; no shell reads it.
        output: the file for what it writes.
    """

    def __init__(self, engine: Engine, container: Container, argv: Sequence[str], output: Path) -> None:
        self._engine = engine
        self._container = container
        self._argv = list(argv)
        self._output = output
        self._mark = f"{_MARK}={secrets.token_hex(8)}"
        self._id: str | None = None
        # The start, or the order not to start, whichever comes first.
        self._deciding = threading.Lock()
        self._given_up = False

    async def run(self) -> int:
        """Run it to its end; when cancelled, it is ended, as far as the container lets it be done now.

        Raises:
            HarnessError: the engine could not run it.
        """
        # In a thread of its own: it may take long, and the engine's few are for short calls.
        work = asyncio.ensure_future(asyncio.to_thread(self._work))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if await self.end():
                await asyncio.wait([work], timeout=_ENDS_WITHIN_S)
            raise
        except DockerException as cause:
            raise HarnessError(
                f"{self._argv[0]} could not be run in the container {self._container.name}: {cause}"
            ) from cause

    async def end(self) -> bool:
        """End it with everything that it started; whether nothing of it is left."""
        said = await self._engine.call(f"end {self._argv[0]} in {self._container.name}", self._end_all)
        return said and not await self._engine.call(f"look for {self._argv[0]} in {self._container.name}", self._runs)

    def _work(self) -> int:
        api = client_of(self._container).api
        self._id = str(api.exec_create(self._container.id, self._argv, environment=[self._mark])["Id"])
        with self._deciding:
            if self._given_up:
                return _NOT_STARTED
            chunks = api.exec_start(self._id, stream=True)
        with self._output.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
                file.flush()
        code = api.exec_inspect(self._id)["ExitCode"]
        return _NOT_STARTED if code is None else int(code)

    def _end_all(self) -> bool:
        with self._deciding:
            self._given_up = True
        try:
            done = self._container.exec_run(["/bin/sh", "-c", _END_ALL, "sh", self._mark])
        except DockerException:
            return False  # it is paused, or down
        return done.exit_code == 0

    def _runs(self) -> bool:
        try:
            return self._id is not None and bool(client_of(self._container).api.exec_inspect(self._id)["Running"])
        except NotFound:
            return False  # it ended with an earlier start of the container
