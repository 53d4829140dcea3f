"""``images.env``: by which names the compose file's images go here, for the harness and for Compose itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

_FILE = "images.env"


def path_in(cache: Path) -> Path:
    """Give the file's place, for ``--env-file``."""
    return cache / _FILE


def read(cache: Path) -> dict[str, str]:
    """Give what the last build noted; nothing where none was done.

    Args:
        cache: the directory for what is made once.
    """
    return {name: value for name, value in dotenv_values(path_in(cache)).items() if value}


def write(cache: Path, variables: Mapping[str, str]) -> None:
    """Note it, in one step: a reader never sees half of it.

    Args:
        cache: the directory for what is made once.
        variables: the compose file's variables, and what stands for them here.

    Raises:
        OSError: it cannot be written.
    """
    fresh = path_in(cache).with_suffix(f".{os.getpid()}")
    fresh.write_text("".join(f"{name}={value}\n" for name, value in sorted(variables.items())), encoding="utf-8")
    fresh.replace(path_in(cache))
