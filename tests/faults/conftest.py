"""The same small stack twice: as local processes, and in containers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.history.history import HistoryWriter
from harness.runtime.cache import cache_directory
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RunningStack, RuntimeName
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.stack.stack import Stack, load_stack
from tests.faults import gateway_subject
from tests.faults.subject import COMPOSE, SERVER, Subject
from tests.runtime.docker.small_stack import python_image, skip_without_images

PROJECT = Path(__file__).parents[2]
Start = Callable[[RuntimeName], Subject]
Describe = Callable[[Path], Stack]


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.fixture
async def local_stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    """The stack as local processes."""
    async with small_local_stack(tmp_path) as running:
        yield running


@asynccontextmanager
async def small_local_stack(home: Path, describe: Describe | None = None) -> AsyncIterator[LocalStack]:
    """The stack as local processes, for as long as the block lasts."""
    stack = (describe or described)(home)
    async with await Session.open() as session:
        toxiproxy = find_or_build(cache_directory(PROJECT))
        running = LocalStack(stack, session, toxiproxy=toxiproxy, cache=home / "cache")
        try:
            await running.start()
            yield running
        finally:
            await running.close()


@asynccontextmanager
async def small_container_stack(home: Path, describe: Describe | None = None) -> AsyncIterator[ContainerStack]:
    """The stack in containers, for as long as the block lasts."""
    skip_without_images()
    engine = Engine.find()
    try:
        async with await Session.open() as session:
            running = ContainerStack((describe or described)(home), session, engine=engine)
            try:
                await running.start()
                yield running
            finally:
                await running.close()
    finally:
        engine.close()


def described(home: Path) -> Stack:
    """The stack's description, in a folder of its own."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "server.py").write_text(SERVER)
    (home / "compose.yml").write_text(COMPOSE.replace("IMAGE", python_image()))
    return load_stack(home / "compose.yml", {})


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop that the stacks of a module belong to."""
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="module")
def start(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A way to have the stack on a runtime; a module's tests share one on each."""
    yield from starting(runner, tmp_path_factory, described)


@pytest.fixture(scope="module")
def start_gateway(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A way to have the stack with the gateway stub on a runtime."""
    yield from starting(runner, tmp_path_factory, gateway_subject.described)


def starting(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, describe: Describe) -> Iterator[Start]:
    """Start a stack at its first use on each runtime, and end it when the module's tests are over."""
    subjects: dict[RuntimeName, Subject] = {}
    opened = AsyncExitStack()
    open_on: dict[RuntimeName, Callable[[Path, Describe], Any]] = {
        RuntimeName.LOCAL: small_local_stack,
        RuntimeName.DOCKER: small_container_stack,
    }

    def begin(runtime: RuntimeName) -> Subject:
        if runtime not in subjects:
            stack = open_on[runtime](tmp_path_factory.mktemp(str(runtime)), describe)
            running: RunningStack = runner.run(opened.enter_async_context(stack))
            subjects[runtime] = Subject(running)
        return subjects[runtime]

    yield begin
    runner.run(opened.aclose())


@pytest.fixture
def history(tmp_path: Path) -> Iterator[HistoryWriter]:
    """An empty history."""
    with HistoryWriter(tmp_path / "history.jsonl") as writer:
        yield writer
