"""A small stack of local processes: up in the order of its dependencies, through proxies, and down again."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import pytest

from harness.errors import DeadlineExceeded, StartFailed
from harness.history.events import ProbeOutcome, ServiceEnded
from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.toxiproxy.link_probe import GREETINGS, send_probe
from harness.runtime.waiting import until
from harness.stack.stack import load_stack

PROJECT = Path(__file__).parents[2]
SERVER = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ.get("WORD", "").encode())
print("serving", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
COMPOSE = """\
services:
  server:
    environment: {WORD: hello}
    x-harness:
      run: [python, "{project}/server.py", "{port:8000}"]
      ready: {http: "http://server:8000/"}
      ready_within_s: 20
      reset_directories: ["{volume:shared}/state"]
  client:
    environment: {SERVER_URL: "http://server:8000/", SERVER_HOST: server, SERVER_PORT: "8000"}
    depends_on: {server: {condition: service_healthy}}
    x-harness:
      run: [python, -u, -c, "import os, time; print(os.environ['SERVER_URL'], os.environ['SERVER_PORT']); time.sleep(600)"]
      ready: {log: http}
      ready_within_s: 20
x-harness:
  links: [client -> server:8000]
  link_probes: {"server:8000": http}
  adapters:
    airflow: {url: "http://server:8000", tasks_run_in: client, username: a, password: b, dag: d}
    gateway: {control: "http://server:8000"}
    notifications: {url: "http://server:8000"}
    database: {dsn: "postgresql://u:p@server:8000/d"}
    artifacts: {sql: SELECT}
    orders: {sql: SELECT, statuses: {}}
    outcome: {sql: SELECT}
"""


def local_stack(home: Path, session: Session, *replacements: tuple[str, str]) -> LocalStack:
    """The small stack, not yet started."""
    text = COMPOSE
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (home / "server.py").write_text(SERVER)
    (home / "compose.yml").write_text(text)
    stack = load_stack(home / "compose.yml", {})
    return LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=home / "cache")


def test_local_stack_sends_its_links_through_proxies(tmp_path: Path) -> None:
    """The client is told the proxy's address, the harness reaches the server around it, and a cut link is refused."""

    async def drill() -> None:
        async with await Session.open() as session:
            running = local_stack(tmp_path, session)
            await running.start()
            (link,) = running.stack.links
            host, port = running.link_address(link)
            assert running.logs.of_service("client").read_text().split() == [f"http://{host}:{port}/", str(port)]
            assert running.address("server", 8000) != (host, port)
            await running.proxy(link).disable()
            seen = await send_probe((host, port), GREETINGS["http"])
            assert seen.outcome is ProbeOutcome.REFUSED
            direct = await send_probe(running.address("server", 8000), GREETINGS["http"])
            assert direct.outcome is ProbeOutcome.ANSWERED
            await running.close()

    asyncio.run(drill())


def test_local_stack_tells_of_a_service_that_ends_while_it_starts(tmp_path: Path) -> None:
    """A service that ends before it is ready is told with its last output."""

    async def drill() -> None:
        async with await Session.open() as session:
            broken = ('"{project}/server.py", "{port:8000}"', "-c, \"import sys; print('no such table'); sys.exit(7)\"")
            running = local_stack(tmp_path, session, broken)
            with pytest.raises(StartFailed, match="server ended with exit code 7 before it was ready") as caught:
                await running.start()
            assert "no such table" in caught.value.evidence
            await running.close()

    asyncio.run(drill())


def test_local_stack_tells_of_a_service_that_is_never_ready(tmp_path: Path) -> None:
    """A service that is not ready in time is told with the reason and its last output."""

    async def drill() -> None:
        async with await Session.open() as session:
            never = ("ready: {log: http}\n      ready_within_s: 20", "ready: {log: never}\n      ready_within_s: 0.5")
            running = local_stack(tmp_path, session, never)
            with pytest.raises(
                DeadlineExceeded, match=r"client was not ready within 0.5 s \(no line .* 'never'\)"
            ) as caught:
                await running.start()
            assert "http" in caught.value.evidence
            await running.close()

    asyncio.run(drill())


def test_local_stack_tells_of_a_service_that_ends_later(tmp_path: Path) -> None:
    """A service that dies in mid-drill is told to those who listen, and a restart brings it back."""

    async def drill() -> None:
        heard: list[object] = []
        async with await Session.open() as session:
            running = local_stack(tmp_path, session)
            await running.start()
            running.notices.listener = heard.append
            await running.service("server").process.kill()
            await until(lambda: bool(heard), what="the end of the server to be told", deadline_s=5)
            (ended,) = heard
            assert isinstance(ended, ServiceEnded)
            assert (ended.service, ended.returncode) == ("server", -9)
            await running.restart("server")
            host, port = running.address("server", 8000)
            answer = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://{host}:{port}/").read())
            assert answer == b"hello"
            await running.close()

    asyncio.run(drill())


def test_restarted_service_is_ready_by_its_own_word(tmp_path: Path) -> None:
    """What a service said before it was restarted does not make it ready."""

    async def drill() -> None:
        async with await Session.open() as session:
            running = local_stack(tmp_path, session)
            await running.start()
            assert len(running.logs.of_service("client").read_text().splitlines()) == 1
            await running.restart("client")
            assert len(running.logs.of_service("client").read_text().splitlines()) == 2
            await running.close()

    asyncio.run(drill())


def test_local_stack_forgets_state(tmp_path: Path) -> None:
    """A reset empties the directories that hold the state of runs."""

    async def drill() -> None:
        async with await Session.open() as session:
            running = local_stack(tmp_path, session)
            state = session.directory / "volumes" / "shared" / "state"
            state.mkdir(parents=True)
            (state / "spool").write_text("old")
            await running.forget_state()
            assert list(state.iterdir()) == []

    asyncio.run(drill())


def test_local_stack_leads_a_containers_name_over_the_link(tmp_path: Path) -> None:
    """A client that names the server's container is told the link's proxy, as one that names the service is."""

    async def drill() -> None:
        async with await Session.open() as session:
            named = (
                "environment: {WORD: hello}",
                "container_name: my-prod-server\n    environment: {WORD: hello}",
            )
            url = ('SERVER_URL: "http://server:8000/"', 'SERVER_URL: "http://my-prod-server:8000/"')
            running = local_stack(tmp_path, session, named, url)
            await running.start()
            (link,) = running.stack.links
            host, port = running.link_address(link)
            assert running.logs.of_service("client").read_text().split() == [f"http://{host}:{port}/", str(port)]
            assert running.rewrite_addresses("my-prod-server:8000") == running.rewrite_addresses("server:8000")
            await running.close()

    asyncio.run(drill())
