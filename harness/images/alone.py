"""One build of images at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import SetUpError


@contextmanager
def alone(cache: Path) -> Iterator[None]:
    """Keep other builds away: two would fetch into one folder, and name their images in turn.

    Args:
        cache: the directory for what is made once, which they share.

    Raises:
        SetUpError: another one runs, or the directory cannot be used.
    """
    folder = cache / "images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "building.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetUpError(f"{folder} cannot be used ({error.strerror}): make room there, or make it writable") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SetUpError("another build of images runs: wait for its end, then run this again") from None
    try:
        yield
    finally:
        os.close(lock)
