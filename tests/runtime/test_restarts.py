"""A service that ends by itself is started again as its compose file has it, and one that a fault took down is not."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from harness.errors import StartFailed
from harness.history.events import Event, ServiceEnded, ServiceRestarted
from harness.runtime.cache import cache_directory
from harness.runtime.kept_up import Pace
from harness.runtime.local.stack import LocalStack
from harness.runtime.service import ServiceState
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.waiting import until
from harness.stack.restart_policy import RestartOn, RestartPolicy
from harness.stack.stack import load_stack

pytestmark = pytest.mark.anyio
PROJECT = Path(__file__).parents[2]
# Each start leaves a line in a file; the first STARTS_THAT_FAIL starts end at once.
MORTAL = """\
import http.server, os, sys
port, starts, failing = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with open(starts, "a") as file:
    file.write("start\\n")
if len(open(starts).readlines()) <= failing:
    sys.exit("not yet")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/end/"):
            os._exit(int(self.path.rpartition("/")[2]))
        self.send_response(200); self.end_headers()
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
COMPOSE = """\
services:
  mortal:
    RESTART
    x-harness:
      run: [python, "{project}/mortal.py", "{port:8000}", "{project}/starts", "FAILING"]
      ready: {http: "http://mortal:8000/"}
      ready_within_s: 10
x-harness: {adapters: {workload: {wait: {for_s: 1}}}}
"""


@asynccontextmanager
async def mortal(home: Path, restart: str, *, failing: int = 0) -> AsyncIterator[tuple[LocalStack, list[Event]]]:
    """A stack of one service that ends when it is asked to, and what is told of it."""
    (home / "mortal.py").write_text(MORTAL)
    (home / "compose.yml").write_text(COMPOSE.replace("RESTART", restart).replace("FAILING", str(failing)))
    stack = load_stack(home / "compose.yml", {})
    heard: list[Event] = []
    async with await Session.open() as session:
        running = LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=home / "cache")
        try:
            await running.start()
            running.notices.listener = heard.append
            yield running, heard
        finally:
            await running.close()


def starts(home: Path) -> int:
    """How often the service was started."""
    return len((home / "starts").read_text().splitlines())


async def end(running: LocalStack, code: int) -> None:
    """Have the service end by itself."""
    host, port = running.address("mortal", 8000)

    def ask() -> None:
        with suppress(OSError):
            urllib.request.urlopen(f"http://{host}:{port}/end/{code}", timeout=2)

    await asyncio.to_thread(ask)


async def watched_no_more(running: LocalStack) -> None:
    """Wait until nothing more follows on the end of the service."""
    watcher = running.service("mortal")._kept_up._watcher
    assert watcher is not None
    await asyncio.wait_for(watcher, timeout=10)


@pytest.mark.parametrize(
    ("restart", "code"),
    [
        ("restart: always", 0),
        ("restart: unless-stopped", 3),
        ("restart: on-failure", 3),
        ("deploy: {restart_policy: {condition: any, delay: 5s}}", 0),
    ],
)
async def test_service_that_ends_is_started_again(tmp_path: Path, restart: str, code: int) -> None:
    """Its end is told, and then that it is ready again, and how long that took."""
    async with mortal(tmp_path, restart) as (running, heard):
        await end(running, code)
        await until(lambda: len(heard) == 2, what="the restart to be told", deadline_s=10)
        ended, restarted = heard
        assert isinstance(ended, ServiceEnded)
        assert (ended.service, ended.returncode) == ("mortal", code)
        assert isinstance(restarted, ServiceRestarted)
        assert restarted.service == "mortal"
        assert 0.1 <= restarted.took_s < 5
        assert await running.service("mortal").state() is ServiceState.RUNNING


@pytest.mark.parametrize(
    ("restart", "code"),
    [("restart: 'no'", 3), ("restart: no", 3), ("restart: on-failure", 0), ("init: true", 3)],
)
async def test_service_whose_policy_does_not_say_so_stays_down(tmp_path: Path, restart: str, code: int) -> None:
    """An end that is no reason for a restart is told, and nothing follows."""
    async with mortal(tmp_path, restart) as (running, heard):
        await end(running, code)
        await until(lambda: bool(heard), what="the end to be told", deadline_s=10)
        await watched_no_more(running)
        assert [type(event) for event in heard] == [ServiceEnded]
        assert starts(tmp_path) == 1


async def test_service_is_started_again_only_so_often(tmp_path: Path) -> None:
    """`on-failure:1` is one restart, and the second end is the last."""
    async with mortal(tmp_path, "restart: on-failure:1") as (running, heard):
        await end(running, 3)
        await until(lambda: len(heard) == 2, what="the restart to be told", deadline_s=10)
        await end(running, 3)
        await watched_no_more(running)
        assert [type(event) for event in heard] == [ServiceEnded, ServiceRestarted, ServiceEnded]
        assert starts(tmp_path) == 2


async def test_service_that_fails_at_first_comes_up_in_the_end(tmp_path: Path) -> None:
    """A system that waits for its neighbours by ending until they are there is brought up, as Compose would."""
    async with mortal(tmp_path, "restart: always", failing=2):
        assert starts(tmp_path) == 3


async def test_service_that_fails_at_first_without_a_policy_is_told(tmp_path: Path) -> None:
    """Without a policy, the first end is the last word."""
    with pytest.raises(StartFailed, match="mortal ended with exit code 1 before it was ready"):
        async with mortal(tmp_path, "init: true", failing=2):
            pass
    assert starts(tmp_path) == 1


@pytest.mark.parametrize("how", ["kill", "stop"])
async def test_service_that_a_fault_took_down_stays_down(tmp_path: Path, how: str) -> None:
    """No policy undoes what the harness itself did; its own start brings the service back, and the policy with it."""
    async with mortal(tmp_path, "restart: always") as (running, heard):
        service = running.service("mortal")
        await (service.kill() if how == "kill" else service.stop())
        assert service._kept_up._watcher is None
        assert await service.state() is ServiceState.ENDED
        assert (starts(tmp_path), heard) == (1, [])
        await service.start()
        await end(running, 0)
        await until(lambda: len(heard) == 2, what="the restart to be told", deadline_s=10)
        assert starts(tmp_path) == 3


@pytest.mark.parametrize("so_far", [1, 2], ids=["waits", "launched"])
async def test_service_that_is_about_to_be_started_again_is_started_once(tmp_path: Path, so_far: int) -> None:
    """A fault that is lifted while a restart waits, or has just begun, brings up one process, not two."""
    async with mortal(tmp_path, "restart: always") as (running, heard):
        await end(running, 3)
        await until(lambda: heard and starts(tmp_path) >= so_far, what="the end to be told", deadline_s=10)
        await running.service("mortal").start()
        assert [process.pid for process in running.service("mortal").process.members()] == [
            running.service("mortal").process.pid
        ]
        assert starts(tmp_path) == 2


async def test_restarts_keep_the_pace_of_docker() -> None:
    """The first waits 100 ms, each further one twice as long up to a minute, and one that ran well begins anew."""
    pace = Pace(RestartPolicy(RestartOn.ALWAYS))
    waits_s = [pace.delay_s(1, 0.0) for _ in range(12)]
    assert waits_s[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits_s[-1] == 60.0
    assert pace.delay_s(1, 10.0) == 0.1
