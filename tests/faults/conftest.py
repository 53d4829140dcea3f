"""The same small server twice: as a service of a local stack, and in a container."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from docker.types import IPAMConfig, IPAMPool

from harness.runtime.cache import cache_directory
from harness.runtime.effects.target import Door, Target
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RuntimeName
from harness.runtime.session.labels import labels_of
from harness.runtime.session.session import Session
from harness.runtime.toxiproxy.build import find_or_build
from harness.runtime.toxiproxy.link_probe import send_probe
from harness.stack.stack import load_stack
from tests.faults.subject import SERVER, VOLUME, ContainerService, Subject, until_it_listens

PROJECT = Path(__file__).parents[2]
IMAGES = ("python:3.11-slim-bookworm", "local/python:3.11-slim-bookworm")
COMPOSE = """\
services:
  server:
    x-harness:
      run: [python, "{project}/server.py", 127.0.0.1, "{port:8000}"]
      ready: {http: "http://server:8000/"}
      ready_within_s: 20
  client:
    environment: {SERVER_URL: "http://server:8000/"}
    depends_on: {server: {condition: service_healthy}}
    x-harness:
      run: [python, -u, -c, "import time; print('ready'); time.sleep(600)"]
      ready: {log: ready}
      ready_within_s: 20
x-harness:
  links: [client -> server:8000]
  link_probes: {"server:8000": http}
  adapters: {workload: {wait: {for_s: 1}}}
"""


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.fixture
async def local_stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    """A stack of a server and its client, as local processes."""
    async with small_stack(tmp_path) as running:
        yield running


@asynccontextmanager
async def small_stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    """The same, for whoever needs it only now and then."""
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "compose.yml").write_text(COMPOSE)
    stack = load_stack(tmp_path / "compose.yml", {})
    async with await Session.open() as session:
        running = LocalStack(
            stack, session, toxiproxy=find_or_build(cache_directory(PROJECT)), cache=tmp_path / "cache"
        )
        try:
            await running.start()
            yield running
        finally:
            await running.close()


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    """The engine."""
    client = docker.from_env(timeout=60)
    yield client
    client.close()


@pytest.fixture
async def start(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Callable[[RuntimeName], Awaitable[Subject]]]:
    """A way to start the server on a runtime, by the runtime's name."""
    async with AsyncExitStack() as opened:

        async def begin(runtime: RuntimeName) -> Subject:
            if runtime is RuntimeName.LOCAL:
                running = await opened.enter_async_context(small_stack(tmp_path))
                return Subject(Target.of(running, "server"), running.address("server", 8000)[1])
            return await opened.enter_async_context(in_container(request.getfixturevalue("engine")))

        yield begin


@asynccontextmanager
async def in_container(engine: docker.DockerClient) -> AsyncIterator[Subject]:
    """The server in a container as a compose file would have it: no root, no capabilities, a volume with a size."""
    async with await Session.open() as session:
        labels = labels_of(session.id)
        port = session.ports.take()
        pool = IPAMPool(subnet=f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(256)}.0/28")
        network = engine.networks.create(
            f"faults-{session.id}",
            ipam=IPAMConfig(pool_configs=[pool]),
            labels=labels,
            options={"com.docker.network.bridge.enable_ip_masquerade": "false"},
        )
        volume = engine.volumes.create(
            f"faults-{session.id}",
            driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=16m,uid=1000"},
            labels=labels,
        )
        container: Container | None = None
        try:
            container = engine.containers.run(
                _image(engine),
                ["python3", "-c", SERVER, "0.0.0.0", "8000"],  # noqa: S104 - of its container alone
                detach=True,
                user="1000",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges:true"],
                ports={"8000/tcp": ("127.0.0.1", port)},
                network=network.name,
                volumes={volume.name: {"bind": VOLUME}},
                labels=labels,
            )
            await until_it_listens(port)
            yield Subject(_target(container, port, session.id), port)
        finally:
            if container is not None:
                container.remove(force=True, v=True)
            network.remove()
            volume.remove()


def _target(container: Container, port: int, session_id: str) -> Target:
    async def send(greeting: bytes, timeout_s: float) -> object:
        return await send_probe(("127.0.0.1", port), greeting, timeout_s)

    return Target(
        service=ContainerService(container, port),
        session_id=session_id,
        doors=(Door("server:8000", "http", send),),  # type: ignore[arg-type]
        links=(),
        proxies=(),
    )


def _image(engine: docker.DockerClient) -> str:
    known = {tag for image in engine.images.list() for tag in image.tags}
    found = next((name for name in IMAGES if name in known), None)
    if found is None:
        pytest.skip(f"needs one of the images {', '.join(IMAGES)}: run `harness images build`")
    return found
