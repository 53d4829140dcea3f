"""A small stack of containers for the tests of a module, and an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from harness.runtime.docker.engine import Engine
from harness.runtime.session.session import Session
from tests.runtime.docker.small_stack import Small, open_small, skip_without_images


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """The engine, with the images that small stacks need."""
    skip_without_images()
    found = Engine.find()
    yield found
    found.close()


@pytest.fixture(scope="module")
def small(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A running small stack, which a module's tests share."""
    with asyncio.Runner() as runner:
        session = runner.run(Session.open())
        try:
            running = runner.run(open_small(tmp_path_factory.mktemp("small"), session, engine))
            yield Small(runner, running, engine)
            runner.run(running.close())
        finally:
            runner.run(session.close())
