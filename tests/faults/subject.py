"""A service to be hurt: the same small server as a local process and as a container, with ways to see how it fares."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
from dataclasses import dataclass

from docker.models.containers import Container

from harness.runtime.effects.target import Target
from harness.runtime.service import RunningService, ServiceState

VOLUME = "/data"
# It answers a greeting; a call of /grow makes it take 64 MiB more.
SERVER = """\
import http.server, sys
held = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/grow":
            held.append(b"x" * (64 << 20))
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello")
print("serving", flush=True)
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A running service, and how a test sees by itself how it fares.

    Args:
        target: the service, as faults see it.
        port: where it is reached on 127.0.0.1.
    """

    target: Target
    port: int

    @property
    def service(self) -> RunningService:
        """The service itself."""
        return self.target.service

    @property
    def container(self) -> Container:
        """Its container, as it is now."""
        container = self.service.container()
        assert container is not None
        container.reload()
        return container

    async def ask(self, path: str = "/", timeout_s: float = 0.7) -> str:
        """Call it: ``answered``, or the name of what came instead."""

        def call() -> str:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
            try:
                connection.request("GET", path)
                return "answered" if connection.getresponse().read() == b"hello" else "wrong"
            except (OSError, http.client.HTTPException) as cause:
                return type(cause).__name__
            finally:
                connection.close()

        return await asyncio.to_thread(call)

    async def python(self, code: str) -> str:
        """Run Python where the service runs, as its own user; what it printed, or its last line of error."""

        def run() -> str:
            _, output = self.container.exec_run(["python3", "-c", code])
            assert isinstance(output, bytes)
            return (output.decode(errors="replace").strip().splitlines() or [""])[-1]

        return await asyncio.to_thread(run)


class ContainerService:
    """A container that a test started, as a fault takes hold of it."""

    name = "server"

    def __init__(self, container: Container, port: int) -> None:
        self._container = container
        self._port = port

    async def state(self) -> ServiceState:
        """By the engine's word."""
        await asyncio.to_thread(self._container.reload)
        known = {"running": ServiceState.RUNNING, "paused": ServiceState.PAUSED}
        return known.get(self._container.status, ServiceState.ENDED)

    async def kill(self) -> None:
        """SIGKILL."""
        await self._do("kill")

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        await self._do("stop", "--time", "1")

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        await self._do("start")
        await until_it_listens(self._port)

    async def pause(self) -> None:
        """Freeze it."""
        await self._do("pause")

    async def resume(self) -> None:
        """Let it go on."""
        await self._do("unpause")

    def container(self) -> Container:
        """The container."""
        return self._container

    async def _do(self, *words: str) -> None:
        name = str(self._container.id)
        await asyncio.to_thread(subprocess.run, ["docker", *words, name], check=True, capture_output=True)


async def until_it_listens(port: int, within_s: float = 20.0) -> None:
    """Wait until a server on 127.0.0.1 answers."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET / HTTP/1.0\r\n\r\n")
                answered = await reader.read(1)
                writer.transport.abort()
            except OSError:
                answered = b""
            if answered:
                return
            await asyncio.sleep(0.05)
