"""In every way that the harness can die, nothing of its session is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness.errors import SetUpError
from harness.runtime.local.process import ServiceProcess
from harness.runtime.session import process_tree
from harness.runtime.session.leftovers import clean_dead_sessions
from harness.runtime.session.ports import BLOCK_SIZE, PortBlock, PortRange
from harness.runtime.session.session import Session
from harness.runtime.waiting import until

pytestmark = pytest.mark.anyio

DUMMY = Path(__file__).with_name("dummy_harness.py")
# Apart from the default, so that drills elsewhere on the machine do not count as left behind.
PORTS = PortRange(30000, 31999)
# A directory, and a process for each service at the very least.
SERVICES = 6
LEFT_DEADLINE_S = 5.0
KILLS = 20
AT_ONCE = 4


class Dummy:
    """A dummy harness with a temporary folder of its own, by which all that belongs to it is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, str(DUMMY)],
            env=environment | {"TMPDIR": str(folder), "HARNESS_PORTS": f"{PORTS.first}-{PORTS.last}"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def line(self) -> str:
        """Give the next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def until_up(self) -> tuple[str, int]:
        """Wait until its services run; give its session's id and its reaper's process id."""
        session, reaper = self.line().split()
        assert self.line() == "up"
        return session, int(reaper)

    def left(self) -> list[str]:
        """Give everything of it that is still there."""
        found = [f"directory {path.name}" for path in self.folder.iterdir()]
        for process in psutil.process_iter(["pid", "cmdline"]):
            mark = f"{process_tree.DIRECTORY_VARIABLE}={self.folder}/"
            named = any(str(self.folder) in word for word in process.info["cmdline"] or ())
            if named or any(entry.startswith(mark) for entry in process_tree.environment(process.pid)):
                found.append(f"process {process.pid} {process.info['cmdline']}")
        return found

    def end(self) -> None:
        """Kill it and wait for its end."""
        self.process.kill()
        self.process.wait(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def dummy(folder: Path) -> Iterator[Dummy]:
    """A dummy harness that is ended after the block, also after an error in it."""
    folder.mkdir(exist_ok=True)
    running = Dummy(folder)
    try:
        yield running
    finally:
        running.end()


def taken_ports() -> list[str]:
    """Give what still listens on a port of the range, and who that is."""
    taken = []
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr:
            port = connection.laddr.port
            if PORTS.first <= port <= PORTS.last:
                taken.append(f"port {port} process {connection.pid}")
    return taken


def assert_no_block_is_taken() -> None:
    """Claim every block that the dummies may have had; their guards do not listen, so nothing else shows them."""
    for first in list(PORTS.blocks())[:AT_ONCE]:
        PortBlock.claim(PortRange(first, first + BLOCK_SIZE - 1)).close()


async def until_nothing_left(running: Dummy) -> float:
    """Wait until nothing of a dummy is left; give how long that took."""
    started = time.monotonic()
    await until(
        lambda: not running.left(),
        what="everything to be removed",
        deadline_s=LEFT_DEADLINE_S,
        evidence=lambda: "\n".join(running.left()),
    )
    return time.monotonic() - started


async def test_sigkill_at_any_moment_leaves_nothing(tmp_path: Path) -> None:
    """Twenty harnesses, killed at random moments from their first to their busiest: no process, port or directory."""
    moments = random.Random(20261123)  # noqa: S311 - a repeatable choice of moments, nothing secret

    async def one(number: int, turn: asyncio.Semaphore) -> None:
        async with turn:
            with dummy(tmp_path / str(number)) as running:
                await asyncio.sleep(moments.uniform(0.0, 0.9))
                running.process.kill()
                await until_nothing_left(running)

    turn = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for number in range(KILLS):
            group.create_task(one(number, turn))
    assert taken_ports() == []
    assert_no_block_is_taken()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name)
async def test_signal_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """A harness at work that gets a signal, with its whole terminal as by Ctrl-C, leaves nothing."""
    with dummy(tmp_path / "tmp") as running:
        await asyncio.to_thread(running.until_up)
        assert len(running.left()) > SERVICES
        os.killpg(running.process.pid, number)
        await until_nothing_left(running)
    assert taken_ports() == []
    assert_no_block_is_taken()


async def test_reaper_ignores_signals(tmp_path: Path) -> None:
    """A reaper that is told to end with its harness ends its work first."""
    with dummy(tmp_path / "tmp") as running:
        _, reaper = await asyncio.to_thread(running.until_up)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(reaper, number)
        running.process.kill()
        await until_nothing_left(running)


async def test_closing_a_session_removes_it(session: Session) -> None:
    """The normal end takes the same way, tells what it had to kill, and may be asked for twice."""
    await ServiceProcess.start("service", ["sleep", "600"], session=session, output=session.directory / "service.log")
    removed = await session.close()
    assert (removed.killed, removed.left, removed.directory_removed) == (1, (), True)
    assert not session.directory.exists()
    assert not session.reaper.alive
    assert await session.close() == removed


async def test_session_is_removed_though_its_reaper_was_killed(session: Session) -> None:
    """A session whose reaper was killed is removed by the harness itself."""
    service = await ServiceProcess.start(
        "service",
        ["/bin/sh", "-c", "setsid sleep 600 & wait"],
        session=session,
        output=session.directory / "service.log",
    )
    os.kill(session.reaper.pid, signal.SIGKILL)
    await until(lambda: not session.reaper.alive, what="the reaper's end", deadline_s=2)
    removed = await session.close()
    assert (removed.left, removed.directory_removed) == ((), True)
    assert await service.wait(2) == -signal.SIGKILL


async def test_process_that_was_just_being_started_does_not_get_away(session: Session) -> None:
    """A process that bears no mark yet when the harness dies, for its program is still being loaded, is waited for."""
    marks = [f"{name}={value}" for name, value in session.marks.items()]
    with session.reaper.starting():
        late = subprocess.Popen(  # noqa: ASYNC220 - returns in a millisecond
            ["/bin/sh", "-c", 'sleep 0.4; exec env "$@" sleep 600', "late", *marks], env={}, start_new_session=True
        )
        removed = await session.close()
    assert late.wait(5) == -signal.SIGKILL
    assert removed.killed == 1


async def test_two_sessions_have_nothing_in_common(session: Session) -> None:
    """Two sessions at once have ids, directories and blocks of ports of their own; one's end leaves the other."""
    async with await Session.open() as other:
        assert other.id != session.id
        assert other.ports.first != session.ports.first
        assert other.directory != session.directory
        assert other.directory.stat().st_mode & 0o777 == 0o700
    assert not other.directory.exists()
    assert session.directory.exists()


async def test_clean_removes_dead_sessions_and_no_living_one(tmp_path: Path, session: Session) -> None:
    """What a harness and its reaper leave when both are killed is removed, and a living session is left alone."""
    with dummy(tmp_path / "dead") as running, dummy(tmp_path / "alive") as living:
        dead, reaper = await asyncio.to_thread(running.until_up)
        alive, _ = await asyncio.to_thread(living.until_up)
        os.kill(reaper, signal.SIGKILL)
        running.end()
        assert len(running.left()) > SERVICES

        removed = await asyncio.to_thread(clean_dead_sessions)

        assert dead in removed.sessions
        assert not {alive, session.id} & set(removed.sessions)
        assert removed.left == ()
        assert running.left() == []
        assert len(living.left()) > SERVICES
        assert session.directory.exists()


async def test_directory_that_cannot_be_made_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a temporary folder to write in, one line says so, and no port stays taken."""
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    with pytest.raises(SetUpError, match=r"directory /nonexistent/harness-.* cannot be made.*TMPDIR"):
        await Session.open()
