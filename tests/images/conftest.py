"""What the tests of images share: the engine, the stack's images, and containers that are gone afterwards."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError
from docker.models.containers import Container

from harness.drill.description import variables
from harness.images.building import build_images, must_be_offline
from harness.images.engine import ImageEngine, connected
from harness.runtime.cache import cache_directory
from harness.stack.stack import Stack, load_stack

PROJECT = Path(__file__).parents[2]
# What every container may write to: its /tmp, which is memory.
MEMORY = "/tmp"  # noqa: S108 - in the container
_DEADLINE_S = 60.0
_POLL_S = 0.05

Run = Callable[..., Container]


@pytest.fixture(scope="session")
def engine() -> Iterator[ImageEngine]:
    """The engine's images."""
    with connected() as found:
        yield found


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The project's own stack."""
    return load_stack(PROJECT / "docker-compose.test.yml", variables(os.environ, 0))


@dataclass(frozen=True, slots=True)
class Made:
    """How the images were made that the tests look at."""

    offline: bool


@pytest.fixture(scope="session")
def made(engine: ImageEngine, stack: Stack) -> Made:
    """The stack's images, up to date."""
    cache = cache_directory(PROJECT)
    offline = must_be_offline(engine, cache, print)
    build_images(stack, [], engine, cache, offline=offline, say=print)
    return Made(offline)


@pytest.fixture
def run() -> Iterator[Run]:
    """A way to start containers; their root is read-only, and no network is theirs."""
    client = docker.from_env()
    started: list[Container] = []

    def start(image: str, command: list[str] | None = None, **options: Any) -> Container:
        settings: dict[str, Any] = {"read_only": True, "network_mode": "none", "tmpfs": {MEMORY: ""}} | options
        container = client.containers.create(image, command, name=f"image-test-{uuid.uuid4().hex[:8]}", **settings)
        started.append(container)
        container.start()
        return container

    try:
        yield start
    finally:
        for container in started:
            container.remove(v=True, force=True)
        client.close()


def ask(container: Container, question: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a command in a container.

    Returns:
        Its exit code and its output.
    """
    code, output = container.exec_run(question, environment=environment)
    assert isinstance(output, bytes)
    return -1 if code is None else code, output.decode()


def ask_until(container: Container, question: list[str], is_answer: Callable[[int, str], bool]) -> str:
    """Run a command in a container until it says what is waited for.

    Args:
        container: where.
        question: the command.
        is_answer: judges its exit code and its output.

    Returns:
        The output.
    """
    gives_up_at = time.monotonic() + _DEADLINE_S
    while True:
        try:
            code, text = ask(container, question)
        except APIError as error:
            pytest.fail(f"{error.explanation}; the container's log:\n{log_of(container)}")
        if is_answer(code, text):
            return text
        if time.monotonic() > gives_up_at:
            pytest.fail(f"{question} said {text!r}, code {code}; the container's log:\n{log_of(container)}")
        time.sleep(_POLL_S)


def log_of(container: Container) -> str:
    """Give what a container has said so far."""
    return container.logs().decode()


def end_of(container: Container) -> int:
    """Wait for a container's end, and give its exit code."""
    return int(container.wait(timeout=_DEADLINE_S)["StatusCode"])


def said_by(container: Container) -> str:
    """Wait for a container's end, which must be a good one, and give what it said."""
    code = end_of(container)
    text = log_of(container)
    assert code == 0, text
    return text
