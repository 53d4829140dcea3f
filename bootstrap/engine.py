"""``python3 -m bootstrap engine``: a Docker engine, from the distribution's own packages where none answers."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.making import runs
from bootstrap.ready import CACHE, STATE, SetUpFailedError, say, wait_for_lock

SOCKET = Path("/var/run/docker.sock")
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")
# A program -> the package that has it.
PACKAGES = {
    "dockerd": "docker.io",
    "iptables": "iptables",
    "mmdebstrap": "mmdebstrap",
    "docker-compose": "docker-compose",
}
_APT = ("apt-get", "--quiet", "--yes")
_START_DEADLINE_S = 60.0
_PING_DEADLINE_S = 10.0
_POLL_S = 0.05
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides about what has to be done.

    Args:
        answers: whether a Docker engine does.
        has_apt: whether it is a Debian or one of its kin.
        is_root: whether we may install and start.
        missing: those of the programs that are not on PATH.
    """

    answers: bool
    has_apt: bool
    is_root: bool
    missing: tuple[str, ...]


def look() -> Machine:
    """Look at this machine."""
    return Machine(
        answers=answers(),
        has_apt=Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None,
        is_root=os.geteuid() == 0,
        missing=tuple(program for program in PACKAGES if shutil.which(program) is None),
    )


def packages_for(machine: Machine) -> list[str]:
    """Give what has to be installed; nothing when an engine answers, but for what makes images offline.

    Raises:
        SetUpFailedError: no engine answers, and it is not for us to install one here; says what to install.
    """
    may_install = machine.has_apt and machine.is_root
    if machine.answers:
        return ["mmdebstrap"] if may_install and "mmdebstrap" in machine.missing else []
    if not machine.has_apt:
        raise SetUpFailedError("no Docker engine answers: install and start Docker Engine or Docker Desktop, or Podman")
    if not machine.is_root:
        wanted = " ".join(PACKAGES.values())
        raise SetUpFailedError(
            f"no Docker engine answers, and only root may install one: run `apt-get install {wanted}` as root, "
            "or name one that runs in DOCKER_HOST"
        )
    return [PACKAGES[program] for program in machine.missing]


def set_up_engine() -> None:
    """See to it that a Docker engine answers.

    Raises:
        SetUpFailedError: none does, and none could be made to.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    lock = os.open(STATE / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        wait_for_lock(lock)
        machine = look()
        if packages := packages_for(machine):
            _install(packages)
        # Where systemd rules, the package has started it.
        if machine.answers or answers():
            say("a Docker engine answers")
        else:
            start(CACHE / "engine")
            say("a Docker engine was started")
    finally:
        os.close(lock)


def answers() -> bool:
    """Say whether a Docker engine does: the one that the client knows, or without a client the machine's own."""
    if shutil.which("docker") is not None:
        return runs(["docker", "version"])
    connection = http.client.HTTPConnection("localhost", timeout=_PING_DEADLINE_S)
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(_PING_DEADLINE_S)
        try:
            plug.connect(str(SOCKET))
            connection.sock = plug
            connection.request("GET", "/_ping")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False


def _install(packages: Sequence[str]) -> None:
    say(f"installs {' '.join(packages)}")
    for command in ([*_APT, "update"], [*_APT, "install", "--no-install-recommends", *packages]):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            raise SetUpFailedError(f"`{' '.join(command)}` failed; its last words:\n{_last_lines(done.stdout)}")


def start(logs: Path, deadline_s: float = _START_DEADLINE_S) -> None:
    """Start containerd and the engine, detached, and wait until the engine answers.

    Args:
        logs: the folder that takes their logs.
        deadline_s: seconds until the wait is given up.

    Raises:
        SetUpFailedError: one ended or did not answer; with the last lines of its log.
    """
    logs.mkdir(parents=True, exist_ok=True)
    gives_up_at = time.monotonic() + deadline_s
    started: list[int] = []
    try:
        if not _listens(CONTAINERD_SOCKET):
            _launch(["containerd"], logs, started, lambda: _listens(CONTAINERD_SOCKET), gives_up_at)
        _launch(["dockerd", f"--containerd={CONTAINERD_SOCKET}"], logs, started, answers, gives_up_at)
    except BaseException:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        raise


def _listens(path: Path) -> bool:
    """Say whether a process listens: a socket that a killed server left behind is still a file."""
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(_PING_DEADLINE_S)
        return plug.connect_ex(str(path)) == 0


def _launch(command: list[str], logs: Path, started: list[int], is_up: Callable[[], bool], gives_up_at: float) -> None:
    program = command[0]
    log = logs / f"{program}.log"
    say(f"starts {program} (its log: {log})")
    output = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    )
    try:
        # Not a Popen: it is to outlive us, in a session of its own.
        pid = os.posix_spawnp(program, command, os.environ, file_actions=output, setsid=True)
    except OSError as error:
        raise SetUpFailedError(f"{program} cannot be run ({error.strerror}): is it installed?") from error
    started.append(pid)
    while not is_up():
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and time.monotonic() < gives_up_at:
            time.sleep(_POLL_S)
            continue
        if ended:
            started.remove(pid)
        what = f"ended with code {os.waitstatus_to_exitcode(status)}" if ended else "did not answer in time"
        said = _last_lines(log.read_text(encoding="utf-8", errors="replace"))
        raise SetUpFailedError(f"{program} {what}; the last lines of {log}:\n{said}")


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LOG_LINES:])
