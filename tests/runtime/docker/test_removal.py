"""However the harness dies, nothing of its session is left in the engine; and nothing of another's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.runtime.docker.engine import Engine
from harness.runtime.session.labels import TEMPLATE, TEMPLATE_VOLUME, labels_of, maker_labels
from harness.runtime.session.leftovers import clean_dead_sessions
from harness.runtime.session.session import Session
from tests.runtime.docker.small_stack import Small, in_engine, small_stack

pytestmark = pytest.mark.docker

# From the first network to a stack that has been up for a while.
MOMENTS_S = (0.1, 0.5, 1.2, 2.5)
GONE_WITHIN_S = 30.0
POLL_S = 0.05
DUMMY = Path(__file__).with_name("dummy_harness.py")


class Dummy:
    """A harness in a process of its own, with a small stack."""

    def __init__(self, folder: Path) -> None:
        (folder / "tmp").mkdir(parents=True)
        self.folder = folder
        stack = small_stack(folder / "stack").path
        self.process = subprocess.Popen(
            [sys.executable, str(DUMMY), str(stack)],
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        session, reaper = self.process.stdout.readline().split()
        self.session, self.reaper = session, int(reaper)

    def until_up(self) -> None:
        """Wait until its stack is up."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    def left(self, engine: Engine) -> list[str]:
        """Everything of it that is still there."""
        return [*in_engine(engine, self.session), *(str(path) for path in (self.folder / "tmp").iterdir())]


@contextmanager
def dummy(folder: Path) -> Iterator[Dummy]:
    """A dummy that does not outlive the test."""
    running = Dummy(folder)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate(timeout=10)


def until_nothing_left(running: Dummy, engine: Engine) -> None:
    """Wait, no longer than is promised, until nothing of a dummy is there."""
    gives_up_at = time.monotonic() + GONE_WITHIN_S
    while left := running.left(engine):
        assert time.monotonic() < gives_up_at, f"after {GONE_WITHIN_S} s there is still {left}"
        time.sleep(POLL_S)


@pytest.mark.parametrize("moment_s", MOMENTS_S)
def test_sigkill_leaves_nothing_in_the_engine(engine: Engine, tmp_path: Path, moment_s: float) -> None:
    """A harness killed while its stack comes up leaves no container, network, volume or directory."""
    with dummy(tmp_path) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(moment_s)
        running.process.kill()
        until_nothing_left(running, engine)


def test_sigkill_of_a_stack_that_is_up_leaves_nothing_and_spares_another(
    engine: Engine, small: Small, tmp_path: Path
) -> None:
    """A harness killed at work leaves nothing, and another session's stack on the same host does not notice."""
    with dummy(tmp_path) as running:
        running.until_up()
        assert len(running.left(engine)) > 10
        assert small.ask("client", "fetch/server:8000") == "hello"
        others = set(in_engine(engine, small.running.session_id))
        running.process.kill()
        until_nothing_left(running, engine)
        assert set(in_engine(engine, small.running.session_id)) == others
        assert small.ask("client", "fetch/server:8000") == "hello"


def test_clean_removes_what_dead_sessions_left_and_spares_the_living(
    engine: Engine, small: Small, tmp_path: Path
) -> None:
    """What is left when the reaper is killed too is removed by a clean-up, though the directory is gone as well."""
    with dummy(tmp_path) as running:
        running.until_up()
        os.kill(running.reaper, signal.SIGKILL)
        running.process.kill()
        running.process.wait(10)
        directory = next((running.folder / "tmp").iterdir())
        assert len(in_engine(engine, running.session)) > 10
        directory.rename(tmp_path / "elsewhere")

        found = clean_dead_sessions(engine.address)

        assert running.session in found.sessions
        assert small.running.session_id not in found.sessions
        assert in_engine(engine, running.session) == []
        assert small.ask("client", "fetch/server:8000") == "hello"


def test_unfinished_template_goes_with_its_maker(engine: Engine, small: Small) -> None:
    """A volume in which a template was being made is removed with its session; a finished one stays."""
    volumes = engine.client.volumes

    async def make_and_end() -> str:
        async with await Session.open() as session:
            session.reaper.use_engine(engine.address)
            ours = maker_labels(session.id, session.directory)
            for name in ("half", "whole"):
                volumes.create(f"{session.id}-{name}", labels=ours)
            volumes.create(f"{session.id}-kept", labels={TEMPLATE: "test", TEMPLATE_VOLUME: f"{session.id}-whole"})
            volumes.create(f"{session.id}-own", labels=labels_of(session.id))
        return session.id

    session = small.run(make_and_end())
    left = volumes.list(filters={"name": f"{session}-"})
    assert sorted(str(each.name) for each in left) == [f"{session}-kept", f"{session}-whole"]
    for each in left:
        each.remove()
