"""A service to be hurt, described once for both runtimes, with ways to see how it fares that are none of the harness's."""

from __future__ import annotations

import asyncio
import http.client
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.runtime.running import RunningStack
from harness.runtime.service import RunningService

VOLUME = "/data"
SERVICE = "server"
LINK = "client -> server"
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
COMPOSE = """\
x-service: &service
  image: IMAGE
  user: "1000"
  read_only: true
  init: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
services:
  server:
    <<: *service
    command: [python3, -B, /server.py, 0.0.0.0, "8000"]
    volumes: [./server.py:/server.py:ro, data:/data]
    x-harness:
      run: [python, "{project}/server.py", 127.0.0.1, "{port:8000}"]
      ready: {http: "http://server:8000/"}
      ready_within_s: 60
  client:
    <<: *service
    command: [python3, -u, -c, "import time; print('ready'); time.sleep(3600)"]
    environment: {SERVER_URL: "http://server:8000/"}
    depends_on: {server: {condition: service_healthy}}
    x-harness:
      run: [python, -u, -c, "import time; print('ready'); time.sleep(3600)"]
      ready: {log: ready}
      ready_within_s: 60
volumes: {data: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=16m,uid=1000"}}}
x-harness:
  links: [client -> server:8000]
  link_probes: {"server:8000": http}
  adapters: {workload: {wait: {for_s: 1}}}
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A running stack with one service to be hurt, and how a test sees by itself how it fares.

    Args:
        running: the stack.
    """

    running: RunningStack

    @property
    def service(self) -> RunningService:
        """The service itself."""
        return self.running.service(SERVICE)

    async def ask(self, path: str = "/", timeout_s: float = 0.7) -> str:
        """Call the service around every proxy: ``answered``, or the name of the error that came instead."""
        return await _call(self.running.address(SERVICE, 8000), path, timeout_s)

    async def ask_over_link(self, timeout_s: float = 0.7) -> str:
        """Call it through the link's proxy, as its client does."""
        return await _call(self.running.link_address(self.running.stack.link(LINK)), "/", timeout_s)

    async def python(self, code: str) -> str:
        """Run Python where the service runs, as its own user; what it printed, or its last line of error."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "output")
            await self.service.execute(["python3", "-c", code], output)
            said = await asyncio.to_thread(output.read_text, errors="replace")
            return (said.strip().splitlines() or [""])[-1]


async def _call(address: tuple[str, int], path: str, timeout_s: float) -> str:
    def call() -> str:
        connection = http.client.HTTPConnection(*address, timeout=timeout_s)
        try:
            connection.request("GET", path)
            return "answered" if connection.getresponse().read() == b"hello" else "wrong"
        except (OSError, http.client.HTTPException) as cause:
            return type(cause).__name__
        finally:
            connection.close()

    return await asyncio.to_thread(call)
