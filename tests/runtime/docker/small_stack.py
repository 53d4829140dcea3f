"""A small stack of containers: two clients of one server, each over a link of its own."""

from __future__ import annotations

import asyncio
import shutil
import urllib.request
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import docker
import pytest
from docker.errors import ImageNotFound

from harness.images import environment
from harness.runtime.cache import cache_directory
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.session import Session
from harness.stack.stack import Stack, load_stack

Result = TypeVar("Result")

PROJECT = Path(__file__).parents[3]
SERVICE = Path(__file__).with_name("small_service.py")
PORTS = {"server": 8000, "client": 8001, "other": 8002}
COMPOSE = """\
x-service: &service
  image: IMAGE
  read_only: true
  init: true
  cap_drop: [ALL]
services:
  server:
    <<: *service
    command: [python3, -B, /service.py, "8000"]
    environment: {WORD: hello}
    volumes: [./small_service.py:/service.py:ro, state:/state]
    x-harness:
      ready: {http: "http://server:8000/"}
      ready_within_s: 60
      reset_directories: ["{volume:state}/runs", "{volume:state}/never-made"]
  client:
    <<: *service
    command: [python3, -B, /service.py, "8001"]
    environment: {SERVER_URL: "http://server:8000/"}
    volumes: [./small_service.py:/service.py:ro]
    depends_on: {server: {condition: service_healthy}}
    x-harness: {ready: {http: "http://client:8001/"}, ready_within_s: 60}
  other:
    <<: *service
    command: [python3, -B, /service.py, "8002"]
    volumes: [./small_service.py:/service.py:ro]
    healthcheck: {test: [CMD, python3, -c, "import urllib.request as u; u.urlopen('http://127.0.0.1:8002/')"]}
    x-harness: {ready_within_s: 60}
volumes: {state: {}}
x-harness:
  links: [client -> server:8000, other -> server:8000]
  link_probes: {"server:8000": http, "client:8001": http, "other:8002": http}
  adapters: {airflow: {url: "http://server:8000", tasks_run_in: client, username: a, password: b, dag: d}}
"""


def python_image() -> str:
    """The Python image that the last build of images noted, or the official one."""
    return environment.read(cache_directory(PROJECT)).get("PYTHON_IMAGE", "python:3.11-slim-bookworm")


def small_stack(home: Path, *replacements: tuple[str, str]) -> Stack:
    """The small stack's description, changed where a test wants it otherwise."""
    text = COMPOSE.replace("IMAGE", python_image())
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(SERVICE, home / SERVICE.name)
    (home / "compose.yml").write_text(text)
    return load_stack(home / "compose.yml", {})


def skip_without_images() -> None:
    """Skip where the two images that the small stack needs are not there."""
    client = docker.from_env()
    try:
        for image in (python_image(), "trading-toxiproxy"):
            client.images.get(image)
    except ImageNotFound:
        pytest.skip("needs the images: `make images`")
    finally:
        client.close()


class Small:
    """A running small stack, and the loop that its parts belong to."""

    def __init__(self, runner: asyncio.Runner, running: ContainerStack, engine: Engine) -> None:
        self.running = running
        self.engine = engine
        self._runner = runner

    def run(self, work: Coroutine[object, object, Result]) -> Result:
        """Do something with it."""
        return self._runner.run(work)

    def ask(self, service: str, path: str = "") -> str:
        """A GET of a service from here, around every proxy; what the service does for that, it does from inside."""
        return self.run(asyncio.to_thread(ask, self.running, service, path))


def ask(running: ContainerStack, service: str, path: str = "") -> str:
    """A GET of a service's published port; blocks."""
    host, port = running.address(service, PORTS[service])
    with urllib.request.urlopen(f"http://{host}:{port}/{path}", timeout=20) as answer:
        return str(answer.read().decode())


def in_engine(engine: Engine, session: str) -> list[str]:
    """Everything in the engine that bears a session's label."""
    wanted = {"label": f"org.testcontainers.session-id={session}"}
    client = engine.client
    return [
        # As they are listed: to ask for each is to meet one that is just being removed.
        *(str(each["Names"]) for each in client.api.containers(all=True, filters=dict(wanted))),
        *(str(each.name) for each in client.networks.list(filters=dict(wanted))),
        *(str(each.name) for each in client.volumes.list(filters=dict(wanted))),
    ]


async def open_small(home: Path, session: Session, engine: Engine, *replacements: tuple[str, str]) -> ContainerStack:
    """Start a small stack of one's own."""
    running = ContainerStack(small_stack(home, *replacements), session, engine=engine)
    await running.start()
    return running
