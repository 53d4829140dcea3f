"""What a container wrote is read whole, also by one that comes later."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker.models.containers import Container

from harness.runtime.docker.engine import Engine
from harness.runtime.docker.follower import Follower
from harness.runtime.waiting import until
from tests.runtime.docker.small_stack import python_image

pytestmark = pytest.mark.docker
LINES = 3000
TALKATIVE = f"for n in range({LINES}): print(n, 'x' * (n % 97), flush=True)\nimport time; time.sleep(600)"


@pytest.fixture
def talkative(engine: Engine) -> Iterator[Container]:
    """A container that has written much, and runs."""
    container = engine.client.containers.run(
        python_image(), ["python3", "-c", TALKATIVE], detach=True, network_mode="none"
    )
    yield container
    container.remove(force=True)


def test_container_that_runs_already_is_read_from_its_beginning(talkative: Container, tmp_path: Path) -> None:
    """A reader that comes later gets each line, none of them cut off or with anything of the transport in it."""
    wanted = [f"{n} {'x' * (n % 97)}" for n in range(LINES)]

    async def read(log: Path) -> None:
        follower = Follower(talkative, os.open(log, os.O_WRONLY | os.O_CREAT))
        await asyncio.to_thread(follower.attach, earlier=True)
        await until(lambda: log.read_bytes().count(b"\n") >= LINES, what="every line", deadline_s=20)

    for nth in range(5):
        log = tmp_path / f"{nth}.log"
        asyncio.run(read(log))
        assert log.read_text().splitlines() == wanted
