"""Services as processes: started clean, stopped whole."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import psutil
import pytest

from harness.errors import DeadlineExceeded, StartFailed
from harness.runtime.local.process import ServiceProcess
from harness.runtime.session import process_tree
from harness.runtime.session.session import Session
from harness.runtime.waiting import until

pytestmark = pytest.mark.anyio


async def start(session: Session, script: str, *, say: str = "up") -> ServiceProcess:
    """Start a shell script as a service, and wait for the word that it says when it is up."""
    service = await ServiceProcess.start(
        "service", ["/bin/sh", "-c", script], session=session, output=session.directory / "service.log"
    )
    await until(lambda: say in service.tail(), what=f"the word {say}", deadline_s=5, evidence=service.tail)
    return service


async def test_output_holds_both_streams(session: Session) -> None:
    """What a service writes to its output and its error is in its file, and its end is known."""
    service = await start(session, "echo one; echo two >&2; echo up; exit 3")
    assert await service.wait(5) == 3
    assert service.tail().splitlines() == ["one", "two", "up"]
    assert service.tail(1) == "up"
    assert service.returncode == 3


async def test_environment_is_clean(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service gets none of our variables but the harmless ones, and the marks of its session."""
    monkeypatch.setenv("IBKR_PASSWORD", "secret")
    service = await start(session, "env; echo up")
    await service.wait(5)
    given = dict(line.split("=", 1) for line in service.tail(100).splitlines() if "=" in line)
    assert "IBKR_PASSWORD" not in given
    assert given["HARNESS_SESSION"] == session.id
    assert given["HARNESS_SERVICE"] == "service"
    assert given["SPT_NOENV"] == "1"
    assert Path(given["TMPDIR"]).is_relative_to(session.directory)


async def test_missing_command_is_a_failed_start(session: Session) -> None:
    """A command that does not exist fails with the service's name and the command."""
    with pytest.raises(StartFailed, match="backend cannot be started: No such file or directory: no-such-command"):
        await ServiceProcess.start("backend", ["no-such-command"], session=session, output=session.directory / "log")


async def test_wait_deadline_carries_the_output(session: Session) -> None:
    """A wait that runs out says how long it was, and its evidence is what the service wrote last."""
    service = await start(session, "echo up; exec sleep 600")
    with pytest.raises(DeadlineExceeded, match=r"service \(process \d+\) still runs after 0.05 s") as raised:
        await service.wait(0.05)
    assert raised.value.evidence == "up"


async def test_stop_lets_a_service_end_by_itself(session: Session) -> None:
    """A service that ends on SIGTERM ends with its own exit code."""
    service = await start(session, "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done")
    assert await service.stop(grace_s=5) == 7
    assert service.tail().splitlines()[-1] == "bye"


async def test_stop_kills_what_ignores_it(session: Session) -> None:
    """A service that ignores SIGTERM is killed when its grace is over."""
    service = await start(session, "trap '' TERM; echo up; while :; do sleep 0.05; done")
    assert await service.stop(grace_s=0.2) == -signal.SIGKILL
    assert service.members() == frozenset()


@pytest.mark.skipif(sys.platform != "linux", reason="setsid is a Linux command")
async def test_stop_ends_children_that_left_the_group(session: Session) -> None:
    """A child in a session of its own, without our marks in its environment, ends with its service."""
    service = await start(session, "env -i setsid /bin/sh -c 'echo $$ up; exec sleep 600' & wait")
    stray = int(service.tail().split()[0])
    assert process_tree.find_process(stray) is not None
    await service.stop(grace_s=0.5)
    assert process_tree.find_process(stray) is None


async def test_frozen_service_stands_still_whole(session: Session) -> None:
    """Once `freeze` says so, no process of a service runs, although it starts one after the other; SIGCONT has it go on."""
    ticks = session.directory / "ticks"
    service = await start(session, f"sleep 600 & echo up; while :; do /bin/echo tick >> {ticks}; done")
    for _ in range(5):
        await until(service.freeze, what="all of it to stand still", deadline_s=5)
        at_rest = ticks.stat().st_size
        states = [psutil.Process(each.pid).status() for each in service.members()]
        assert set(states) == {psutil.STATUS_STOPPED}
        assert service.freeze()
        assert ticks.stat().st_size == at_rest
        service.send(signal.SIGCONT)
        await until(lambda: ticks.stat().st_size > at_rest, what="it to go on", deadline_s=5)  # noqa: B023 - waited for here


async def test_title_does_not_hide_a_service(session: Session) -> None:
    """A program that sets its title (Airflow does) keeps the mark by which it is found."""
    script = (
        "import setproctitle, time; setproctitle.setproctitle('x' * 4000); print('up', flush=True); time.sleep(600)"
    )
    service = await ServiceProcess.start(
        "titled", [sys.executable, "-c", script], session=session, output=session.directory / "titled.log"
    )
    await until(lambda: "up" in service.tail(), what="the title", deadline_s=5, evidence=service.tail)
    assert f"HARNESS_SESSION={session.id}" in process_tree.environment(service.pid)
