"""The set-up's own decisions: whether it is done, with which Python, and one at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.interpreter import choose_python, is_supported, version_of
from bootstrap.making import find_uv
from bootstrap.ready import SetUpFailedError, is_ready, stamp, wait_for_lock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that is set up."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "requirements.lock").write_text("airflow==3\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version_info = 3.11.7\n")
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "ready").write_text(f"{stamp(tmp_path)}\n{sys.executable}\n")
    return tmp_path


def test_project_that_is_set_up_is_ready(project: Path) -> None:
    """Nothing is done again when nothing changed."""
    assert is_ready(project)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "requirements.lock").write_text("airflow==4\n"),
        lambda root: (root / "pyproject.toml").write_text("[project]\nname = 'x'\n"),
        lambda root: (root / ".venv" / "pyvenv.cfg").write_text("version_info = 3.13.0\n"),
        lambda root: (root / "requirements.lock").unlink(),
        lambda root: (root / ".venv" / "pyvenv.cfg").unlink(),
        lambda root: (root / ".venv" / "ready").unlink(),
        lambda root: (root / ".venv" / "ready").write_text(""),
        lambda root: (root / ".venv" / "ready").write_text(f"{stamp(root)}\n/nonexistent/toxiproxy\n"),
        lambda root: (root / ".venv" / "bin" / "python").unlink(),
    ],
    ids=["lock", "settings", "python", "no-lock", "no-env", "no-stamp", "cut-stamp", "no-toxiproxy", "no-interpreter"],
)
def test_any_change_makes_it_not_ready(project: Path, change: Callable[[Path], object]) -> None:
    """When any part of it changed or went missing, the set-up is done again."""
    change(project)
    assert not is_ready(project)


@pytest.mark.parametrize(
    ("version", "supported"),
    [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False), ((2, 7), False), (None, False)],
)
def test_supported_versions(version: tuple[int, int] | None, *, supported: bool) -> None:
    """Python 3.11 to 3.13 are supported, and an interpreter that does not run is not."""
    assert is_supported(version) is supported


def test_interpreter_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    """The shim of a version manager that only fails is not taken for a Python."""
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'command not found' >&2; exit 127\n")
    shim.chmod(0o755)
    assert version_of(str(shim)) is None


def test_wrong_python_finds_a_right_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that is too new or too old takes a supported one from PATH."""
    minor = sys.version_info[1]
    (tmp_path / f"python3.{minor}").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    for running in ((3, 14), (3, 10)):
        assert choose_python(running) == str(tmp_path / f"python3.{minor}")


def test_wrong_python_alone_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a supported Python one line says which are, which this is, and what to do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SetUpFailedError, match=r"Python 3.11, 3.12 or 3.13 is needed, this is 3.14.*install one"
    ) as raised:
        choose_python((3, 14))
    assert "\n" not in str(raised.value)


def test_no_uv_and_no_pip_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without uv, pip and ensurepip (Debian without python3-venv) one line says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bootstrap.making.CACHE", tmp_path)
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    with pytest.raises(SetUpFailedError, match=r"no uv on PATH, and no pip in .*apt install python3-venv") as raised:
        find_uv(str(bare), 0)
    assert "\n" not in str(raised.value)


def test_second_set_up_waits_and_gives_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While one set-up holds the lock another one waits, says so once, and gives up at its deadline."""
    holder = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(SetUpFailedError, match="another set-up runs"):
        wait_for_lock(other, deadline_s=0.2)
    os.close(holder)
    wait_for_lock(other, deadline_s=0.2)
    os.close(other)
    assert capsys.readouterr().err.count("waits for another one") == 1


def test_unknown_command_is_wrong_usage() -> None:
    """A command that does not exist ends with 2, before anything is set up, and names those that do."""
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "dril"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown command 'dril': it should be one of setup, check, test" in done.stderr


def test_every_target_of_the_makefile_is_a_command() -> None:
    """What make can do, python3 -m bootstrap can do too."""
    targets = {line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": ##" in line}
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "?"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commands = set(done.stderr.strip().partition("one of ")[2].split(", "))
    assert targets - {"help"} <= commands


@pytest.mark.parametrize("command", ["test", "bench", "drill", "load"])
def test_command_runs_in_the_environment(tmp_path: Path, command: str) -> None:
    """With any other Python first on PATH, a command finds the packages of the environment."""
    (tmp_path / "python").symlink_to("/bin/false")
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", command, "--help"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, "usage" in done.stdout.lower()) == (0, True), done.stderr


def test_deciding_that_all_is_ready_is_fast(project: Path) -> None:
    """The decision itself takes a few milliseconds."""
    started = time.monotonic()
    assert is_ready(project)
    assert time.monotonic() - started < 0.1
