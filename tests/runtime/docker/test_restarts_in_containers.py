"""Restart policies of containers: the harness follows them, and no fault is undone by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from harness.history.events import Event, ServiceEnded, ServiceRestarted
from harness.runtime.docker.attached import AttachedContainer
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.service import ServiceState
from harness.runtime.session.labels import labels_of
from harness.runtime.session.session import Session
from harness.runtime.waiting import until
from harness.stack.restart_policy import RestartOn, RestartPolicy
from tests.runtime.docker.small_stack import ask, open_small, python_image

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


# It says that it is up, and ends; the engine starts it again.
SHORT_LIVED = "import sys, time; print('up', flush=True); time.sleep(2); sys.exit(3)"


async def test_container_that_the_engine_starts_again_is_followed(engine: Engine, tmp_path: Path) -> None:
    """Of a stack that Compose brought up, the engine keeps the policy: end and return are told, each line stands once."""
    told: list[tuple[str, float | int | None]] = []

    async def until_ready(_: ServiceContainer) -> None:
        return

    async with await Session.open() as session:
        session.reaper.use_engine(engine.address)
        container = engine.client.containers.run(
            python_image(),
            ["python3", "-c", SHORT_LIVED],
            detach=True,
            network_mode="none",
            restart_policy={"Name": "always"},
            labels=labels_of(session.id, directory=session.directory),
        )
        service = ServiceContainer(
            "short-lived",
            engine,
            AttachedContainer(container),
            tmp_path / "output",
            stop_grace_s=1,
            until_ready=until_ready,
            on_end=lambda _, code: told.append(("ended", code)),
            policy=RestartPolicy(RestartOn.ALWAYS),
            on_restarted=lambda _, took_s: told.append(("restarted", took_s)),
            engine_restarts=True,
        )
        await service.attach()
        await until(lambda: len(told) >= 3, what="a second end to be told", deadline_s=30)
        await service.kill()
        assert await service.state() is ServiceState.ENDED
    assert [word for word, _ in told[:3]] == ["ended", "restarted", "ended"]
    assert told[0][1] == told[2][1] == 3
    assert (tmp_path / "output").read_text().split()[:2] == ["up", "up"]
    assert len((tmp_path / "output").read_text().split()) <= 3
