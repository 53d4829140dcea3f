"""An engine without control groups, as a rootless one may be: what it lets go by is no fault, and no proof."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import docker
import pytest
from docker.models.containers import Container

from harness.faults.service.memory_limit import MemoryLimit
from harness.runtime.docker.attached import AttachedContainer
from harness.runtime.docker.container_api import EngineRefused, update
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.service_container import ServiceContainer
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.effects.memory_limit import MemoryLimitEffect
from harness.runtime.session.session import Session
from harness.stack.stack import load_stack

pytestmark = pytest.mark.anyio
# Docker 20.10.24's own words.
NO_CGROUP = "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded."
NO_SWAP = (
    "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap."
)


@contextmanager
def container_of_an_engine(said: Mapping[str, object]) -> Iterator[Container]:
    """A container of an engine that says the same to everything: it stands for one that we cannot have everywhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(said).encode()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        client = docker.DockerClient(f"tcp://127.0.0.1:{server.server_port}", version="1.41")
        try:
            yield client.containers.get("server")
        finally:
            client.close()
            server.shutdown()


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


async def test_discarded_limit_is_a_refusal() -> None:
    """The engine calls it a success and warns; no fault is on."""
    with (
        container_of_an_engine({"Warnings": [NO_CGROUP]}) as container,
        pytest.raises(EngineRefused, match=r"Limitation discarded"),
    ):
        await update(container, {"Memory": 1 << 26})


@pytest.mark.parametrize("warnings", [None, [], [NO_SWAP]])
async def test_limit_that_holds_is_no_refusal(warnings: list[str] | None) -> None:
    """A warning about something else is none about the limit."""
    with container_of_an_engine({"Warnings": warnings}) as container:
        await update(container, {"Memory": 1 << 26})


async def test_running_service_without_a_limit_is_not_limited(tmp_path: Path) -> None:
    """Where the kernel knows of no limit, the look says that the fault is not on."""
    async with memory_limit_of(tmp_path, killed=False, exit_code=0) as effect:
        await effect.switch_on()
        observation = await effect.observe_service()
    assert not observation.as_expected, observation.saw


async def test_kill_from_before_the_fault_is_no_hit(tmp_path: Path) -> None:
    """A service that was killed for its memory some time before has not met this fault by that."""
    async with memory_limit_of(tmp_path, killed=True, exit_code=0) as effect:
        await effect.arm()
        await effect.switch_on()
        assert await effect.counted() == ()


@asynccontextmanager
async def memory_limit_of(home: Path, *, killed: bool, exit_code: int) -> AsyncIterator[MemoryLimitEffect]:
    """The fault on a service that runs, of which the engine always says the same."""
    said = {
        "Id": "0" * 64,
        "HostConfig": {},
        "State": {"Status": "running", "Running": True, "OOMKilled": killed, "ExitCode": exit_code},
        "memory_stats": {},
        "MemTotal": 1 << 30,
    }
    with container_of_an_engine(said) as container:
        assert container.client is not None
        engine = Engine(container.client, "tcp://127.0.0.1")
        async with await Session.open() as session:
            running = ContainerStack(load_stack(without_links(home), {}), session, engine=engine)
            running._parts.services["server"] = service_of(container, engine, home)
            yield MemoryLimitEffect(MemoryLimit(mib=64), running, "server")


def without_links(home: Path) -> Path:
    """A compose file with one service that no link leads to."""
    file = home / "compose.yml"
    file.write_text(
        "services: {server: {image: server}}\nx-harness: {links: [], adapters: {workload: {wait: {for_s: 1}}}}\n"
    )
    return file


def service_of(container: Container, engine: Engine, home: Path) -> ServiceContainer:
    """The service that runs in a container."""

    async def until_ready(_: ServiceContainer) -> None:
        return

    return ServiceContainer(
        "server",
        engine,
        AttachedContainer(container),
        home / "server.log",
        stop_grace_s=1,
        until_ready=until_ready,
        on_end=lambda *_: None,
    )
