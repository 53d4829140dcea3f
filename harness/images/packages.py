"""Python packages fetched before a build, so that the build itself needs neither a network nor pip."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from harness.errors import SetUpError
from harness.images.program import run_program
from harness.runtime.toxiproxy.build import UV_VARIABLE

_PYTHON_VERSION = "3.11"
# What runs on every distribution since Debian 12.
_PLATFORM = f"{platform.machine()}-manylinux_2_36"


def fetch(requirements: Path, cache: Path) -> Path:
    """Give a folder with the packages of a requirements file, fetched unless they were before.

    Args:
        requirements: every package pinned by version and hash.
        cache: the directory for what is made once.

    Raises:
        SetUpError: they cannot be fetched.
    """
    shelf = cache / "images" / "packages" / requirements.parent.name
    made = shelf / hashlib.sha256(requirements.read_bytes() + _PLATFORM.encode()).hexdigest()[:16]
    if made.exists():
        return made
    uv = _uv(cache)
    # What an earlier requirements file asked for, and what an interrupted run left.
    shutil.rmtree(shelf, ignore_errors=True)
    shelf.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=shelf, ignore_cleanup_errors=True) as workshop:
        target = Path(workshop) / "packages"
        _install(uv, requirements, target)
        # Programs that name this machine's Python: in an image they run with `python -m`.
        shutil.rmtree(target / "bin", ignore_errors=True)
        target.replace(made)
    return made


def _install(uv: str, requirements: Path, target: Path) -> None:
    command = [
        *(uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target)),
        *("--python", sys.executable, "--python-version", _PYTHON_VERSION, "--python-platform", _PLATFORM),
        *("--requirements", str(requirements)),
    ]
    run_program(command, f"fetching the packages of {requirements}")


def _uv(cache: Path) -> str:
    # The set-up leaves one in the cache where PATH has none.
    for known in (os.environ.get(UV_VARIABLE), shutil.which("uv"), str(cache / "uv" / "bin" / "uv")):
        if known and Path(known).exists():
            return known
    raise SetUpError("fetching packages for images needs uv, which is not here: run `make setup`")
