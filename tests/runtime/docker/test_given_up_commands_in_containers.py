"""A command that is given up ends in its container, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.session import Session
from harness.runtime.waiting import until
from harness.stack.stack import load_stack
from tests.runtime.docker.small_stack import Small

pytestmark = pytest.mark.docker
# It, and a child in a session of its own, wait and store then.
STORES_LATER = """\
import subprocess, sys, time
work = "import time; time.sleep(600); open('/state/late', 'w')"
subprocess.Popen([sys.executable, "-c", work], start_new_session=True)
print("at work", flush=True)
time.sleep(600)
"""
WITHOUT_A_SHELL = """\
services:
  proxy: {image: trading-toxiproxy, command: [-port=8474]}
x-harness: {adapters: {workload: {wait: {for_s: 1}}}}
"""


def in_container(service: ServiceContainer) -> list[str]:
    """The command lines of all that runs in a container."""
    return [" ".join(row[7:]) for row in service.container().top()["Processes"]]


async def begun(service: ServiceContainer, output: Path) -> asyncio.Task[int]:
    """The command, at work."""
    at_work = asyncio.create_task(service.execute(["python3", "-c", STORES_LATER], output))
    await until(
        lambda: output.exists() and output.read_text() == "at work\n", what="the command to begin", deadline_s=20
    )
    assert len(in_container(service)) > 2
    return at_work


async def cancelled(task: asyncio.Task[int]) -> None:
    """Give the command up."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_command_that_is_given_up_ends_in_its_container(small: Small, tmp_path: Path) -> None:
    """Nothing of it is left, its output is kept, and the service goes on."""
    service = small.running.service("server")
    before = in_container(service)

    async def give_up() -> None:
        await cancelled(await begun(service, tmp_path / "output"))
        await service.end_commands()

    small.run(give_up())
    assert in_container(service) == before
    assert small.ask("server", "list/state") == ""
    assert small.ask("server") == "hello"


def test_command_in_a_container_that_stands_still_ends_later(small: Small, tmp_path: Path) -> None:
    """While a fault has the container paused, nothing in it can be ended; once it is lifted, the command is."""
    service = small.running.service("server")
    before = in_container(service)

    async def give_up() -> None:
        at_work = await begun(service, tmp_path / "output")
        await service.pause()
        await cancelled(at_work)
        await service.resume()
        assert len(in_container(service)) > len(before)
        await service.end_commands()

    small.run(give_up())
    assert in_container(service) == before


def test_command_that_ends_gives_its_code_and_its_output(small: Small, tmp_path: Path) -> None:
    """What it wrote and its exit code are as ever, with its mark in the environment only."""
    words = ["python3", "-c", "import os, sys; print(os.environ['WORD'], *sys.argv[1:]); sys.exit(3)", "a b"]
    code = small.run(small.running.service("server").execute(words, tmp_path / "output"))
    assert (code, (tmp_path / "output").read_text()) == (3, "hello a b\n")


@asynccontextmanager
async def without_a_shell(home: Path, engine: Engine) -> AsyncIterator[ServiceContainer]:
    """A service in whose image there is no program but its own."""
    (home / "compose.yml").write_text(WITHOUT_A_SHELL)
    async with await Session.open() as session:
        running = ContainerStack(load_stack(home / "compose.yml", {}), session, engine=engine)
        await running.start()
        yield running.service("proxy")
        await running.close()


def test_command_that_cannot_be_ended_goes_with_its_container(engine: Engine, tmp_path: Path) -> None:
    """Where the image has no shell, the container is started anew, and the drill hears why it tells nothing."""

    async def give_up() -> None:
        async with without_a_shell(tmp_path, engine) as service:
            before = in_container(service)
            at_work = asyncio.create_task(service.execute([*before[0].split()[:1], "-port=8475"], tmp_path / "output"))
            await until(lambda: len(in_container(service)) > 1, what="the command to begin", deadline_s=20)
            await cancelled(at_work)
            with pytest.raises(HarnessError, match="a command that was given up could not be ended in the container"):
                await service.end_commands()
            assert in_container(service) == before

    asyncio.run(give_up())
