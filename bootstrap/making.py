"""The steps of the set-up, each one a command whose failure ends it; an unfinished one is begun anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap.interpreter import choose_python, is_supported, this_python, version_of
from bootstrap.ready import CACHE, READY, ROOT, STATE, VENV, SetUpFailedError, say, stamp, tool

_UV_LOCK = str(Path(__file__).with_name("uv.lock.txt"))
_PROBE_DEADLINE_S = 20
# Bytecode that is not written now would be compiled anew by every process of every drill; the others lead astray.
_DROPPED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_USER")

# The user's settings for pip must not keep it from fetching uv into our own folder, nor root be warned of that.
_SET = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}


def make_all(lock: int) -> None:
    """Make the environment, install the project into it, and make the Toxiproxy server.

    Args:
        lock: descriptor of the set-up's lock. The steps inherit it, so that it is held until the last of them ended,
            even when this process is killed.

    Raises:
        SetUpFailedError: a step failed.
    """
    unfinished = STATE / "set-up.unfinished"
    if unfinished.exists():
        shutil.rmtree(VENV, ignore_errors=True)
    usable = is_supported(version_of(tool("python")))
    base = this_python() if usable else choose_python()
    uv = find_uv(base, lock)
    unfinished.touch()
    READY.unlink(missing_ok=True)
    if not usable:
        shutil.rmtree(VENV, ignore_errors=True)
        step("makes the environment", [uv, "venv", "--quiet", "--python", base, str(VENV)], lock)
    pip = [uv, "pip"]
    into = ["--python", tool("python"), *([] if sys.stderr.isatty() else ["--quiet"])]
    pinned = ["--require-hashes", "--compile-bytecode", str(ROOT / "requirements.lock")]
    step("installs the dependencies", [*pip, "sync", *into, *pinned], lock)
    # The build's own needs stand in the lock as well: nothing comes in that is not pinned.
    ours = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    step("installs the project", [*pip, "install", *into, *ours], lock)
    unfinished.unlink()
    build = [tool("python"), "-m", "harness.runtime.toxiproxy.build"]
    server = step("finds or builds Toxiproxy", build, lock, reads=True, extra={"HARNESS_UV": uv}).strip()
    new = READY.with_suffix(".new")
    new.write_text(f"{stamp()}\n{server}\n", encoding="utf-8")
    new.replace(READY)


def find_uv(python: str, lock: int) -> str:
    """Give uv: the one on PATH, or one from PyPI, pinned by version and hash.

    Args:
        python: an interpreter that can fetch it.
        lock: as for ``make_all``.

    Raises:
        SetUpFailedError: there is none, and no pip to fetch it with.
    """
    folder = CACHE / "uv"
    fetched = str(folder / "bin" / "uv")
    for known in (shutil.which("uv"), fetched):
        if known is not None and runs([known, "--version"]):
            return known
    shutil.rmtree(folder, ignore_errors=True)
    fetch = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    pinned = ["--require-hashes", "--target", str(folder), "-r", _UV_LOCK]
    step("fetches uv", [pip_python(python), *fetch, *pinned], lock)
    return fetched


def pip_python(python: str) -> str:
    """Give an interpreter that has pip: this one, or one in an environment that it makes.

    Args:
        python: an interpreter. Debian's has no pip, and makes no environment with one, without python3-venv.

    Raises:
        SetUpFailedError: there is no pip.
    """
    if runs([python, "-m", "pip", "--version"]):
        return python
    folder = CACHE / "pip"
    own = str(folder / "bin" / "python")
    if runs([python, "-m", "venv", "--clear", str(folder)]) and runs([own, "-m", "pip", "--version"]):
        return own
    raise SetUpFailedError(
        f"there is no uv on PATH, and no pip in {python} to fetch it with: "
        "install one (apt install python3-venv, or brew install uv), then run this again"
    )


def step(what: str, command: list[str], lock: int, *, reads: bool = False, extra: dict[str, str] | None = None) -> str:
    """Run one step; there is no deadline, for the network's speed is not ours to know, and a person watches.

    Args:
        what: what it does, for the person who waits.
        command: the command.
        lock: as for ``make_all``.
        reads: whether its output is the result, and its last error the reason, rather than for the person.
        extra: further environment variables.

    Returns:
        Its output, if that was read.

    Raises:
        SetUpFailedError: it failed; its own words stand on the terminal.
    """
    say(what)
    environment = {**os.environ, **_SET, "HARNESS_CACHE": str(CACHE), **(extra or {})}
    for name in _DROPPED:
        environment.pop(name, None)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=reads,
            encoding="utf-8",
            pass_fds=(lock,),
            check=False,
        )
    except OSError as error:
        raise SetUpFailedError(f"{command[0]} cannot be run ({error.strerror}): run this again") from error
    if done.returncode != 0:
        if reads and done.stderr.strip():
            raise SetUpFailedError(done.stderr.strip().splitlines()[-1])
        raise SetUpFailedError(
            f'the step "{what}" ended with code {done.returncode}: mend what it says above, then run this again'
        )
    return done.stdout or ""


def runs(command: list[str]) -> bool:
    """Say whether a command runs and ends well."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_DEADLINE_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
