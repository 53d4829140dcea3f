"""Runs of systems that no Airflow runs: requests, a command, or only a while of watching."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.drill.observer import Observer, RunWatch
from harness.drill.workloads.command import CommandRuns
from harness.drill.workloads.http import HttpRuns
from harness.drill.workloads.wait import WaitRuns
from harness.history.events import Fate, OperationEnded, RunChanged
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole
from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.waiting import until
from harness.stack.stack import load_stack
from harness.stack.workload import CommandWorkload, HttpWorkload
from tests.clients.answering import Asked, Said, answering

pytestmark = pytest.mark.anyio
PROJECT = Path(__file__).parents[2]
COMPOSE = """\
services:
  job:
    environment: {WORD: hello}
    x-harness: {run: [python, -c, "import time; time.sleep(600)"]}
x-harness:
  adapters: {workload: {wait: {for_s: 1}}}
"""


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryWriter]:
    """The history of the test."""
    with HistoryWriter(tmp_path / "history.jsonl") as writer:
        yield writer


@pytest.fixture
def watch() -> RunWatch:
    """A run."""
    return RunWatch("run-1", RunRole.DRILLED)


def requests(address: str, history: HistoryWriter, *, times: int = 1) -> HttpRuns:
    """Requests to an address."""
    body = {"id": "{run}-{n}", "more": [{"n": "{n}"}, 5]}
    workload = HttpWorkload(url="", json_body=body, headers={"X-Id": "{n}"}, times=times, every_s=0, deadline_s=0.5)
    return HttpRuns(workload, address + "/pay/{n}", Observer(history, None))


def fates(history: HistoryWriter) -> list[tuple[str, Fate, str]]:
    """What became of each request."""
    return [(event.operation, event.fate, event.detail) for _, event in history.so_far().of(OperationEnded)]


def states(history: HistoryWriter) -> list[str]:
    """The states of the run."""
    return [event.state for _, event in history.so_far().of(RunChanged)]


async def test_requests_bear_run_and_number(history: HistoryWriter, watch: RunWatch) -> None:
    """Address, headers and every text in the body say which run and which request it is."""
    seen: list[Asked] = []

    def answer(asked: Asked) -> Said:
        seen.append(asked)
        return Said(201)

    with answering(answer) as address:
        await requests(address, history, times=2).follow(watch)
    assert [(asked.path, asked.headers["X-Id"]) for asked in seen] == [("/pay/1", "1"), ("/pay/2", "2")]
    assert json.loads(seen[1].body) == {"id": "run-1-2", "more": [{"n": "2"}, 5]}
    assert fates(history) == [("run-1-1", Fate.ACKNOWLEDGED, "201"), ("run-1-2", Fate.ACKNOWLEDGED, "201")]
    assert states(history) == ["running", "success"]


@pytest.mark.parametrize(
    ("said", "fate", "detail"),
    [
        (Said(503), Fate.FAILED, "503"),
        (Said(302), Fate.FAILED, "302"),
        (Said(201, delay_s=1.0), Fate.UNKNOWN, "nothing: TimeoutError"),
    ],
)
async def test_request_that_is_not_acknowledged(
    history: HistoryWriter, watch: RunWatch, said: Said, fate: Fate, detail: str
) -> None:
    """A refusal is a failure; silence leaves the fate unknown; neither makes a run that succeeded."""
    with answering(lambda _: said) as address:
        await requests(address, history).follow(watch)
    assert fates(history) == [("run-1-1", fate, detail)]
    assert states(history) == ["running", "failed"]


async def test_request_that_was_never_sent_has_failed(history: HistoryWriter, watch: RunWatch) -> None:
    """Where no process listens, nothing can have been done."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    await requests(address, history).follow(watch)
    assert fates(history) == [("run-1-1", Fate.FAILED, "nothing: ConnectError")]


async def test_request_whose_connection_breaks_is_unknown(history: HistoryWriter, watch: RunWatch) -> None:
    """A server that reads a request and goes away may have done it."""

    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    server = await asyncio.start_server(vanish, "127.0.0.1", 0)
    async with server:
        await requests(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", history).follow(watch)
    ((_, fate, _),) = fates(history)
    assert fate is Fate.UNKNOWN


async def test_request_in_whose_middle_a_run_is_given_up_is_unknown(history: HistoryWriter, watch: RunWatch) -> None:
    """What was sent and not waited for may have been done: it is noted all the same."""
    with answering(lambda _: Said(201, delay_s=0.4)) as address, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await requests(address, history).follow(watch)
    assert fates(history) == [("run-1-1", Fate.UNKNOWN, "nothing: the run was given up")]
    assert states(history) == ["running"]


async def test_watching_is_a_run_of_its_own_length(history: HistoryWriter, watch: RunWatch) -> None:
    """A system that works by itself is left to it for so long."""
    await WaitRuns(0.01, Observer(history, None)).follow(watch)
    assert states(history) == ["running", "success"]


@pytest.mark.parametrize(("code", "state"), [(0, "success"), (3, "failed")])
async def test_command_gets_the_environment_of_its_service(
    history: HistoryWriter, watch: RunWatch, tmp_path: Path, code: int, state: str
) -> None:
    """A command runs beside the service, its exit code is the run's state, and its output is kept."""
    (tmp_path / "compose.yml").write_text(COMPOSE)
    stack = load_stack(tmp_path / "compose.yml", {})
    script = f"import os, sys; print(os.environ['WORD'], sys.argv[1]); sys.exit({code})"
    workload = CommandWorkload(service="job", run=["python", "-c", script, "{run}"])
    async with await Session.open() as session:
        running = LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=tmp_path)
        await running.start()
        runs = CommandRuns(workload, running, Observer(history, None))
        await runs.follow(watch)
        assert await runs.logs(watch) == {("run-1", "command"): "hello run-1\n"}
        await running.close()
    assert states(history) == ["running", state]


async def test_command_that_is_given_up_ends(history: HistoryWriter, watch: RunWatch, tmp_path: Path) -> None:
    """A command that takes too long is ended at once, not only with the session."""
    (tmp_path / "compose.yml").write_text(COMPOSE)
    stack = load_stack(tmp_path / "compose.yml", {})
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    workload = CommandWorkload(service="job", run=["python", "-c", script])
    async with await Session.open() as session:
        running = LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=tmp_path)
        await running.start()
        runs = CommandRuns(workload, running, Observer(history, None))
        following = asyncio.create_task(runs.follow(watch))
        output = runs._output(watch)
        pid = await until(
            lambda: int(output.read_text()) if output.exists() and output.read_text().endswith("\n") else None,
            what="the command to say its process id",
            deadline_s=10,
        )
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        assert not psutil.pid_exists(pid)
        await running.close()
    assert states(history) == ["running"]
