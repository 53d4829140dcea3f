"""How a stack of containers comes up, and how it says why it does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import DeadlineExceeded, HarnessError, SetUpError, StackError, StartFailed
from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.docker.volumes import VolumeTemplate
from harness.runtime.session.labels import TEMPLATE, TEMPLATE_VOLUME, labels_of
from harness.runtime.session.session import Session
from tests.runtime.docker.small_stack import ask, in_engine, open_small, python_image, small_stack

pytestmark = pytest.mark.docker

SERVER = '[python3, -B, /service.py, "8000"]'
TOLD = "x-harness:\n  host_paths: {./data: volume}\n  links"
ONCE = """\
  maker:
    <<: *service
    command: [python3, -c, "import urllib.request as u; print(u.urlopen('http://server:8000/write/state/made').read())"]
    depends_on: {server: {condition: service_healthy}}
    x-harness: {ready: {done: true}, ready_within_s: 30}
volumes: {state: {}}
"""


def failing(home: Path, engine: Engine, *replacements: tuple[str, str]) -> tuple[HarnessError, list[str]]:
    """The error with which a stack does not come up, and what it leaves in the engine."""

    async def start() -> str:
        async with await Session.open() as session:
            sessions.append(session.id)
            await open_small(home, session, engine, *replacements)
        return session.id

    sessions: list[str] = []
    with pytest.raises(HarnessError) as caught:
        asyncio.run(start())
    return caught.value, in_engine(engine, sessions[0])


def test_service_that_ends_while_it_starts_is_told_with_its_last_words(engine: Engine, tmp_path: Path) -> None:
    """A service that ends before it is ready is named with its code and last output, and nothing is left."""
    error, left = failing(
        tmp_path, engine, (SERVER, "[python3, -c, \"import sys; print('no such table'); sys.exit(7)\"]")
    )
    assert isinstance(error, StartFailed)
    assert str(error).startswith("server ended with exit code 7 before it was ready")
    assert "no such table" in error.evidence
    assert left == []


def test_service_that_finds_its_disk_full_is_told_so(engine: Engine, tmp_path: Path) -> None:
    """The reason that a person can do something about is in the one line."""
    error, _ = failing(
        tmp_path, engine, (SERVER, "[python3, -c, \"import os, sys; sys.exit('FATAL: ' + os.strerror(28))\"]")
    )
    assert "before it was ready: no space was left on its disk, make room there" in str(error)


def test_service_that_is_never_ready_is_told_with_the_reason(engine: Engine, tmp_path: Path) -> None:
    """A service that is not ready in time is named with what was asked last and its last output."""
    late = ('{http: "http://server:8000/"}\n      ready_within_s: 60', "{log: never}\n      ready_within_s: 5")
    error, left = failing(tmp_path, engine, late)
    assert isinstance(error, DeadlineExceeded)
    assert str(error).startswith("server was not ready within 5 s (no line of its output matches 'never')")
    assert error.evidence == "serving"
    assert left == []


def test_health_check_that_fails_is_told_with_its_words(engine: Engine, tmp_path: Path) -> None:
    """Where no probe is declared, Compose's own health check decides, and what it says is in the error."""
    check = "import urllib.request as u; u.urlopen('http://127.0.0.1:8002/')"
    sick = (
        f'{{test: [CMD, python3, -c, "{check}"]}}\n    x-harness: {{ready_within_s: 60}}',
        "{test: [CMD, python3, -c, \"import sys; sys.exit('sick')\"]}\n    x-harness: {ready_within_s: 1}",
    )
    error, _ = failing(tmp_path, engine, sick)
    assert isinstance(error, DeadlineExceeded)
    assert "other was not ready within 1 s (its health check ended with 1: sick)" in str(error)


def test_missing_image_is_one_line_that_says_what_makes_it(engine: Engine, tmp_path: Path) -> None:
    """An image that the engine does not have is named before anything starts."""
    error, left = failing(tmp_path, engine, ("environment: {WORD: hello}", "environment: {}\n    image: not/made-here"))
    assert isinstance(error, SetUpError)
    assert str(error).startswith("the engine has no image not/made-here: `harness images build`")
    assert left == []


def test_port_that_another_program_took_is_one_line(engine: Engine, tmp_path: Path) -> None:
    """A port that was free when it was chosen, and is taken when the container starts, is named."""

    async def start() -> None:
        async with await Session.open() as session:
            running = ContainerStack(small_stack(tmp_path), session, engine=engine)
            with socket.socket() as thief:
                thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                thief.bind(running.address("server", 8000))
                thief.listen()
                await running.start()

    with pytest.raises(StartFailed, match=r"could not start server: port \d+ was taken by another program"):
        asyncio.run(start())


def test_service_without_an_image_is_refused(engine: Engine, tmp_path: Path) -> None:
    """A service that the file only describes as a local process is named, with what to do."""
    error, left = failing(tmp_path, engine, (f"image: {python_image()}\n  read_only", "read_only"))
    assert isinstance(error, StackError)
    assert "service server names neither an image nor how to build one" in str(error)
    assert left == []


def test_stack_that_would_write_on_this_machine_is_refused(engine: Engine, tmp_path: Path) -> None:
    """A directory of this machine that a service may write to is told, and nothing was started or written."""
    mounted = ("state:/state]", "./data:/state]")
    error, left = failing(tmp_path, engine, mounted)
    assert isinstance(error, StackError)
    assert "./data is a place of this machine, and a drill of server would write to it" in str(error)
    assert (left, (tmp_path / "data").exists()) == ([], False)


def test_volume_in_the_place_of_this_machines_own_is_the_drills(engine: Engine, tmp_path: Path) -> None:
    """Told to put a volume there, the drill writes to that, and nothing to this machine; it goes with the session."""

    async def write() -> tuple[str, str]:
        async with await Session.open() as session:
            running = await open_small(
                tmp_path, session, engine, ("state:/state]", "./data:/state]"), ("x-harness:\n  links", TOLD)
            )
            await asyncio.to_thread(ask, running, "server", "write/state/made")
            found = await asyncio.to_thread(ask, running, "server", "list/state")
            await running.close()
        return session.id, found

    session_id, found = asyncio.run(write())
    assert found == "made"
    assert not (tmp_path / "data").exists()
    assert in_engine(engine, session_id) == []


@pytest.fixture
def image_with_a_volume(engine: Engine) -> Iterator[str]:
    """An image that declares a volume, as databases' do: each container of it gets one that bears no label."""
    container = engine.client.containers.create(python_image())
    container.commit("declares-a-volume", "test", changes="VOLUME /declared")
    container.remove()
    yield "declares-a-volume:test"
    engine.client.images.remove("declares-a-volume:test")


@pytest.mark.alone("it counts every volume of the engine")
def test_nothing_is_left_of_volumes_that_an_image_declares(
    engine: Engine, tmp_path: Path, image_with_a_volume: str
) -> None:
    """Neither a service nor a copy of its template leaves the unlabelled volume behind that its image has it given."""

    async def start() -> None:
        async with await Session.open() as session:
            before = volumes(engine)
            for name in ("data", "copy"):
                engine.client.volumes.create(f"{name}-{session.id}", labels=labels_of(session.id))
            template = VolumeTemplate(engine, session, "server", image_with_a_volume, "state", "key")
            session.reaper.use_engine(engine.address)
            await template.copy(f"data-{session.id}", f"copy-{session.id}")
            assert volumes(engine) == {*before, f"data-{session.id}", f"copy-{session.id}"}
            container = engine.client.containers.create(image_with_a_volume, labels=labels_of(session.id))
            container.start()

    there = volumes(engine)
    asyncio.run(start())
    assert volumes(engine) == there


def volumes(engine: Engine) -> set[str]:
    """The names of all that there are."""
    return {str(each.name) for each in engine.client.volumes.list()}


def test_template_is_made_once_and_copied(engine: Engine, tmp_path: Path) -> None:
    """What a one-shot service filled is kept in a volume, and the next session finds it there without that service.

    Of those that were kept before it, the oldest go.
    """
    for nth in range(5):
        data = engine.client.volumes.create(f"old-template-{nth}-data")
        engine.client.volumes.create(
            f"old-template-{nth}", labels={TEMPLATE: "server", TEMPLATE_VOLUME: str(data.name)}
        )
    changes = (
        (
            'reset_directories: ["{volume:state}/runs", "{volume:state}/never-made"]',
            "template: {path: state, made_by: [maker], depends_on_files: [small_service.py]}",
        ),
        ("volumes: {state: {}}\n", ONCE),
    )

    async def start() -> tuple[str, bool]:
        async with await Session.open() as session:
            running = await open_small(tmp_path, session, engine, *changes)
            found = await asyncio.to_thread(ask, running, "server", "list/state")
            await running.close()
            return found, running.logs.of_service("maker").exists()

    try:
        assert asyncio.run(start()) == ("made", True)
        assert asyncio.run(start()) == ("made", False)
        kept = engine.client.volumes.list(filters={"label": f"{TEMPLATE}=server"})
        assert len(kept) == 4
        data_left = {each.name for each in engine.client.volumes.list() if each.name.endswith("-data")}
        assert len(data_left & {f"old-template-{nth}-data" for nth in range(5)}) == 3
    finally:
        for volume in engine.client.volumes.list(filters={"label": f"{TEMPLATE}=server"}):
            engine.client.volumes.get(volume.attrs["Labels"][TEMPLATE_VOLUME]).remove()
            volume.remove()
