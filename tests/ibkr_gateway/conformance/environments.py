"""An environment for each client library, made from its lock once and found again from then on.

They cannot share one: ib_insync and ib_async own the same package of events, and the official library must meet no
newer one of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap.making import find_uv
from bootstrap.ready import CACHE, wait_for_lock

FOLDER = CACHE / "conformance"
MAKING_S = 300.0


class MakingFailed(Exception):
    """An environment could not be made; the message holds what uv said."""


def lock_of(library: str) -> Path:
    """Return the file that pins what a library's environment is made of."""
    return Path(__file__).with_name(f"{library}.lock.txt")


def environment(library: str, lock: Path, folder: Path = FOLDER, deadline_s: float = MAKING_S) -> Path:
    """Give the interpreter of an environment, and make that first if it is not there.

    Args:
        library: names it.
        lock: what it is made of: names, versions and hashes.
        folder: where environments are kept.
        deadline_s: seconds for waiting until another test run has made it, and again for making it.

    Raises:
        MakingFailed: a step failed, or was not done in time.
        SetUpFailedError: there is no uv, or another test run does not end.
    """
    made = folder / f"{library}-{_hash(lock)}"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        making = os.open(folder / "making.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            wait_for_lock(making, deadline_s)
            if not made.exists():
                _make(made, lock, making, deadline_s)
        finally:
            os.close(making)
    return made / "bin" / "python"


def _hash(lock: Path) -> str:
    # Of the interpreter as well: an environment leads to the one that it was made with.
    return hashlib.sha256(f"{sys.base_prefix} {sys.version} {lock.read_text()}".encode()).hexdigest()[:16]


def _make(made: Path, lock: Path, making: int, deadline_s: float) -> None:
    unfinished = made.with_name(f"{made.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    uv = find_uv(sys.executable, making)
    _run([uv, "venv", "--relocatable", "--python", sys.executable, str(unfinished)], making, deadline_s)
    # The lock constrains builds as well: the official library is no wheel, and what builds it is pinned, too.
    pinned = ["--require-hashes", "--build-constraints", str(lock), "--requirements", str(lock)]
    _run([uv, "pip", "install", "--python", str(unfinished / "bin" / "python"), *pinned], making, deadline_s)
    unfinished.rename(made)


def _run(command: list[str], making: int, deadline_s: float) -> None:
    """Run a step, which inherits the lock, so that it is held as long as the step lasts even if this process dies."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(making,),
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise MakingFailed(_told(command, f"not done within {deadline_s:g} s", late.output)) from late
    if done.returncode != 0:
        raise MakingFailed(_told(command, f"ended with code {done.returncode}", done.stdout))


def _told(command: list[str], what: str, said: bytes | None) -> str:
    return f"{' '.join(command)}: {what}; it said:\n{(said or b'').decode(errors='replace')}"
