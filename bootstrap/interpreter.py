"""Which Python the environment is made with."""

from __future__ import annotations

import shutil
import subprocess
import sys

from bootstrap.ready import SetUpFailedError

OLDEST, NEWEST = (3, 11), (3, 13)
_DEADLINE_S = 20


def version_of(python: str) -> tuple[int, int] | None:
    """Give the version of an interpreter, or None when it does not run (the shims of version managers may not).

    Args:
        python: its path.
    """
    try:
        said = subprocess.run(
            [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            encoding="utf-8",
            timeout=_DEADLINE_S,
            check=True,
        )
        major, minor = said.stdout.split()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return int(major), int(minor)


def is_supported(version: tuple[int, int] | None) -> bool:
    """Say whether the project runs on this version of Python."""
    return version is not None and OLDEST <= version <= NEWEST


def this_python() -> str:
    """Give the running interpreter; the one behind it when it belongs to an environment, which may be made anew."""
    return getattr(sys, "_base_executable", None) or sys.executable


def choose_python(running: tuple[int, int] = sys.version_info[:2]) -> str:
    """Give the interpreter to make the environment with: this one, else the newest supported one on PATH.

    Args:
        running: the version of this one.

    Raises:
        SetUpFailedError: there is none.
    """
    if is_supported(running):
        return this_python()
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found is not None and version_of(found) == (3, minor):
            return found
    raise SetUpFailedError(
        f"Python 3.11, 3.12 or 3.13 is needed, this is {running[0]}.{running[1]} and PATH has none of them: "
        "install one (apt install python3.12, or brew install python@3.12), then run this again"
    )
