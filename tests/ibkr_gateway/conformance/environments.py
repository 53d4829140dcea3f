"""What each client library runs in, made from its lock once and found again from then on.

They cannot share one: ib_insync and ib_async own the same package of events, the official library comes in three
versions of one name, and two are written in other languages.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from bootstrap.making import find_uv
from bootstrap.ready import CACHE, wait_for_lock

FOLDER = CACHE / "conformance"
MAKING_S = 300.0
# Half a minute for each of the two in Rust, where the machine does nothing else.
BUILDING_S = 900.0

# Fills an empty folder; is given the folder, the descriptor of the lock, and the seconds that a step may take.
Make: TypeAlias = Callable[[Path, int, float], None]


class MakingFailed(Exception):
    """An environment could not be made; the message holds what the tool said."""


def lock_of(library: str) -> Path:
    """Return the file that pins what a Python library's environment is made of."""
    return Path(__file__).with_name(f"{library}.lock.txt")


def sources_of(library: str) -> Path:
    """Return the folder of a driver that is not written in Python, with its lock."""
    return Path(__file__).parent / "drivers" / library


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

    def make(unfinished: Path, making: int, step_s: float) -> None:
        uv = find_uv(sys.executable, making)
        _run([uv, "venv", "--relocatable", "--python", sys.executable, str(unfinished)], making, step_s)
        # The lock constrains builds as well: the official library is no wheel, and what builds it is pinned, too.
        pinned = ["--require-hashes", "--build-constraints", str(lock), "--requirements", str(lock)]
        _run([uv, "pip", "install", "--python", str(unfinished / "bin" / "python"), *pinned], making, step_s)

    # Of the interpreter as well: an environment leads to the one that it was made with.
    made_from = f"{sys.base_prefix} {sys.version} {lock.read_text()}"
    return _made_once(library, made_from, make, folder, deadline_s) / "bin" / "python"


def node_modules(library: str, sources: Path, folder: Path = FOLDER, deadline_s: float = MAKING_S) -> Path:
    """Give the folder of a library's packages for Node.js, and fetch them first if they are not there.

    Args:
        library: names it.
        sources: the folder with package.json and package-lock.json.
        folder: where environments are kept.
        deadline_s: as for ``environment``.

    Raises:
        MakingFailed: a step failed, or was not done in time.
        SetUpFailedError: another test run does not end.
    """
    described = [sources / "package.json", sources / "package-lock.json"]

    def make(unfinished: Path, making: int, step_s: float) -> None:
        unfinished.mkdir()
        for file in described:
            shutil.copy(file, unfinished)
        # No script of a package runs here.
        _run(["npm", "ci", "--ignore-scripts", "--prefix", str(unfinished)], making, step_s)

    made_from = " ".join(file.read_text() for file in described)
    return _made_once(library, made_from, make, folder, deadline_s) / "node_modules"


def rust_program(library: str, sources: Path, folder: Path = FOLDER, deadline_s: float = BUILDING_S) -> Path:
    """Give a driver that is written in Rust, and build it first if it is not there.

    Args:
        library: names it.
        sources: the folder with Cargo.toml, Cargo.lock and the source.
        folder: where environments are kept; what is built for one driver serves the next there.
        deadline_s: as for ``environment``.

    Raises:
        MakingFailed: a step failed, or was not done in time.
        SetUpFailedError: another test run does not end.
    """
    target = folder / "cargo"

    def make(unfinished: Path, making: int, step_s: float) -> None:
        command = ["nice", "-n", "10", "cargo", "build", "--locked", "--manifest-path", str(sources / "Cargo.toml")]
        _run(command, making, step_s, {"CARGO_TARGET_DIR": str(target)})
        unfinished.mkdir()
        shutil.copy(target / "debug" / "driver", unfinished / "driver")

    shared = sources.parent / "rust"
    files = [
        sources / "Cargo.toml",
        sources / "Cargo.lock",
        *sorted(sources.rglob("*.rs")),
        *sorted(shared.glob("*.rs")),
    ]
    made_from = " ".join(file.read_text() for file in files)
    return _made_once(library, made_from, make, folder, deadline_s) / "driver"


def _made_once(library: str, made_from: str, make: Make, folder: Path, deadline_s: float) -> Path:
    made = folder / f"{library}-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        making = os.open(folder / "making.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # What is made by another run may be the one that takes longest.
            wait_for_lock(making, max(deadline_s, BUILDING_S))
            if not made.exists():
                unfinished = made.with_name(f"{made.name}.unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished, making, deadline_s)
                unfinished.rename(made)
        finally:
            os.close(making)
    return made


def _run(command: list[str], making: int, deadline_s: float, variables: Mapping[str, str] | None = None) -> None:
    """Run a step, which inherits the lock, so that it is held as long as the step lasts even if this process dies."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(variables or {})},
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
