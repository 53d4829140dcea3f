"""A command that is given up ends with all that it started, and stores nothing into the next run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.drill.observer import Observer
from harness.drill.workloads.command import CommandRuns
from harness.drill.workloads.wait import WaitRuns
from harness.history.history import HistoryWriter
from harness.history.reads import TaskRead
from harness.history.roles import RunRole
from harness.runtime.cache import cache_directory
from harness.runtime.local.stack import LocalStack
from harness.runtime.service import ServiceState
from harness.runtime.session.process_tree import find_process
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.waiting import until
from harness.stack.stack import load_stack
from harness.stack.workload import CommandWorkload

pytestmark = pytest.mark.anyio
PROJECT = Path(__file__).parents[2]
COMPOSE = """\
services:
  job: {x-harness: {run: [python, -c, "import time; time.sleep(600)"]}}
x-harness:
  adapters: {workload: {wait: {for_s: 1}}}
"""
# It, and a child in a session of its own, say who they are, and store later.
STORES_LATER = """\
import os, subprocess, sys, time
work = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600); open(sys.argv[1], 'a').write('x')"
child = subprocess.Popen([sys.executable, "-c", work, sys.argv[1]], start_new_session=True)
print(os.getpid(), flush=True)
child.wait()
open(sys.argv[1], "a").write("x")
"""


@asynccontextmanager
async def commands(home: Path, argv: list[str]) -> AsyncIterator[tuple[LocalStack, CommandRuns]]:
    """Runs of a command beside a service that does nothing."""
    (home / "compose.yml").write_text(COMPOSE)
    async with await Session.open() as session:
        stack = load_stack(home / "compose.yml", {})
        running = LocalStack(stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=home / "cache")
        await running.start()
        with HistoryWriter(home / "history.jsonl") as history:
            yield running, CommandRuns(CommandWorkload(service="job", run=argv), running, Observer(history, None))
        await running.close()


async def test_command_that_is_given_up_stores_nothing_later(tmp_path: Path) -> None:
    """All of its processes have ended when it is given up, and the service that it ran beside has not."""
    stored = tmp_path / "stored"
    async with commands(tmp_path, ["python", "-c", STORES_LATER, str(stored)]) as (running, runs):
        watch = runs.new(RunRole.DRILLED)
        output = runs._output(watch)
        went = asyncio.create_task(runs.go(watch, limit_s=3))
        pids = await until(
            lambda: found if output.exists() and len(found := output.read_text().split()) == 2 else None,
            what="both processes to say who they are",
            deadline_s=2.5,
        )
        assert await went is False
        await runs.give_up(watch)
        assert [pid for pid in pids if find_process(int(pid)) is not None] == []
        assert not stored.exists()
        assert await running.service("job").state() is ServiceState.RUNNING


async def test_command_says_when_it_ran_and_how_it_ended(tmp_path: Path) -> None:
    """Without Airflow, the harness itself knows from when to when a run was at work, and what its exit code said."""
    async with commands(tmp_path, ["python", "-c", ""]) as (_, runs):
        watch = runs.new(RunRole.STEADY)
        before = datetime.now(UTC)
        assert await runs.go(watch, limit_s=30)
        read = await runs.read(watch)
    assert read.started_at is not None
    assert read.ended_at is not None
    assert before <= read.started_at < read.ended_at <= datetime.now(UTC)
    assert read.tasks == (TaskRead("command", "success", 1),)


async def test_run_that_is_given_up_has_ended_then(tmp_path: Path) -> None:
    """A run that was cut short has an end, too: what is stored after it is of no run."""
    with HistoryWriter(tmp_path / "history.jsonl") as history:
        runs = WaitRuns(600, Observer(history, None))
        watch = runs.new(RunRole.DRILLED)
        assert await runs.go(watch, limit_s=0.05) is False
        read = await runs.read(watch)
    assert read.started_at is not None
    assert read.ended_at is not None
    assert (read.ended_at - read.started_at).total_seconds() >= 0.05
    assert read.state == "running"
