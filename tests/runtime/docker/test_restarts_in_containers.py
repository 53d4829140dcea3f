"""Restart policies of containers: the harness follows them, and no fault is undone by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from harness.history.events import Event, ServiceEnded, ServiceRestarted
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.service import ServiceState
from harness.runtime.session.session import Session
from harness.runtime.waiting import until
from tests.runtime.docker.small_stack import ask, open_small

pytestmark = [pytest.mark.docker, pytest.mark.anyio]
ALWAYS = ("environment: {WORD: hello}", "environment: {WORD: hello}\n    restart: always")


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@asynccontextmanager
async def restarting(home: Path, engine: Engine) -> AsyncIterator[tuple[ContainerStack, list[Event]]]:
    """A stack whose server is to be up always, and what is told of it."""
    heard: list[Event] = []
    async with await Session.open() as session:
        running = await open_small(home, session, engine, ALWAYS)
        running.notices.listener = heard.append
        yield running, heard
        await running.close()


async def test_container_that_ends_is_started_again(engine: Engine, tmp_path: Path) -> None:
    """Its end and its return are told, it answers again, and its output goes on in the same file."""
    async with restarting(tmp_path, engine) as (running, heard):
        with suppress(OSError):
            await asyncio.to_thread(ask, running, "server", "die")
        await until(lambda: len(heard) == 2, what="the restart to be told", deadline_s=30)
        ended, restarted = heard
        assert isinstance(ended, ServiceEnded)
        assert (ended.service, ended.returncode) == ("server", 7)
        assert isinstance(restarted, ServiceRestarted)
        assert (restarted.service, restarted.took_s > 0.1) == ("server", True)
        assert await asyncio.to_thread(ask, running, "client", "fetch/server:8000") == "hello"
        assert running.logs.of_service("server").read_text().split("\n")[:3] == ["serving", "told to die", "serving"]


async def test_container_that_a_fault_killed_stays_down(engine: Engine, tmp_path: Path) -> None:
    """The engine was told no policy, so that nothing starts what a fault holds down; the lift does."""
    async with restarting(tmp_path, engine) as (running, heard):
        service = running.service("server")
        await service.kill()
        assert service.container().attrs["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
        assert (await service.state(), service._kept_up._watcher, heard) == (ServiceState.ENDED, None, [])
        await service.start()
        assert await asyncio.to_thread(ask, running, "client", "fetch/server:8000") == "hello"
