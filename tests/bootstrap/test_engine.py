"""The set-up of a Docker engine: what it decides, and how a start ends that goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bootstrap import engine
from bootstrap.engine import Machine, packages_for, start
from bootstrap.ready import SetUpFailedError

ROOT = Path(__file__).parents[2]
EVERYTHING = ("dockerd", "iptables", "mmdebstrap", "docker-compose")
_LISTENS = (
    "import socket, sys, time\ns = socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\ntime.sleep(60)\n"
)

Programs = Callable[..., None]


def _machine(
    *, answers: bool = False, has_apt: bool = True, is_root: bool = True, missing: tuple[str, ...] = ()
) -> Machine:
    return Machine(answers=answers, has_apt=has_apt, is_root=is_root, missing=missing)


@pytest.mark.parametrize(
    ("machine", "packages"),
    [
        (_machine(missing=EVERYTHING), ["docker.io", "iptables", "mmdebstrap", "docker-compose"]),
        (_machine(missing=("docker-compose",)), ["docker-compose"]),
        (_machine(), []),
        (_machine(answers=True, missing=EVERYTHING), ["mmdebstrap"]),
        (_machine(answers=True, missing=("dockerd",)), []),
        (_machine(answers=True, is_root=False, missing=EVERYTHING), []),
        (_machine(answers=True, has_apt=False, missing=EVERYTHING), []),
    ],
    ids=["bare", "some", "only-not-started", "answers", "elsewhere", "answers-user", "answers-no-debian"],
)
def test_only_what_is_missing_is_installed(machine: Machine, packages: list[str]) -> None:
    """An engine that answers is left alone, also when another program started it."""
    assert packages_for(machine) == packages


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (_machine(has_apt=False), "install and start Docker Engine"),
        (_machine(is_root=False), "run `apt-get install docker.io iptables mmdebstrap docker-compose` as root"),
    ],
    ids=["no-debian", "no-root"],
)
def test_machine_that_is_not_ours_to_change_is_told_what_to_do(machine: Machine, says: str) -> None:
    """In one line."""
    with pytest.raises(SetUpFailedError, match=r"^no Docker engine answers") as caught:
        packages_for(machine)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    """A way to put programs on PATH, before all others; those that still run are ended afterwards."""
    folder = tmp_path / "bin"
    folder.mkdir()
    pids = tmp_path / "pids"
    pids.touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(engine, "CONTAINERD_SOCKET", tmp_path / "containerd.sock")

    def put(**scripts: str) -> None:
        for name, script in scripts.items():
            program = folder / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\necho $$ >> {pids}\n{script}\n")
            program.chmod(0o755)

    yield put
    for pid in pids.read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def test_start_ends_once_the_engine_answers(programs: Programs, tmp_path: Path) -> None:
    """The engine's own containerd comes first, and what both say goes to their logs."""
    listens = tmp_path / "listens.py"
    listens.write_text(_LISTENS)
    programs(
        containerd=f"echo containerd came; exec {sys.executable} {listens} {tmp_path}/containerd.sock",
        dockerd=f"test -S {tmp_path}/containerd.sock && echo dockerd came && touch {tmp_path}/up; exec sleep 60",
        docker=f"test -e {tmp_path}/up",
    )
    start(tmp_path / "logs", deadline_s=20)
    assert (tmp_path / "up").exists()
    assert "containerd came" in (tmp_path / "logs" / "containerd.log").read_text()
    assert "dockerd came" in (tmp_path / "logs" / "dockerd.log").read_text()


@pytest.mark.parametrize(
    ("dockerd", "says"),
    [
        ("seq 30; echo no iptables here >&2; exit 1", "dockerd ended with code 1"),
        ("echo no iptables here; exec sleep 60", "dockerd did not answer in time"),
    ],
    ids=["ends", "hangs"],
)
def test_start_that_fails_shows_the_last_lines(programs: Programs, tmp_path: Path, dockerd: str, says: str) -> None:
    """The reader need not look for the log, and nothing is left running."""
    listens = tmp_path / "listens.py"
    listens.write_text(_LISTENS)
    programs(
        containerd=f"exec {sys.executable} {listens} {tmp_path}/containerd.sock",
        dockerd=f"echo $$ > {tmp_path}/dockerd.pid; {dockerd}",
        docker="exit 1",
    )
    with pytest.raises(SetUpFailedError, match=says) as caught:
        start(tmp_path / "logs", deadline_s=3)
    assert "no iptables here" in str(caught.value)
    assert "\n5\n" not in str(caught.value)
    assert not Path("/proc", (tmp_path / "dockerd.pid").read_text().strip()).exists()


def test_command_does_nothing_where_an_engine_answers(programs: Programs, tmp_path: Path) -> None:
    """It says so in one line, and installs and starts nothing."""
    left_alone = f"touch {tmp_path}/touched"
    programs(docker="exit 0", mmdebstrap="exit 0", apt_get=left_alone, containerd=left_alone, dockerd=left_alone)
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "engine"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, " set-up  a Docker engine answers\n")
    assert not (tmp_path / "touched").exists()


def test_packages_that_cannot_be_installed_are_told(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """With apt's own last words."""
    monkeypatch.setattr(engine, "look", lambda: _machine(missing=("iptables",)))
    programs(apt_get="echo E: Unable to locate package iptables; exit 100")
    with pytest.raises(SetUpFailedError, match="Unable to locate package iptables"):
        engine.set_up_engine()
