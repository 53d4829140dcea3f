"""Whether the set-up is done, told in a few milliseconds; and one set-up at a time when it is not."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).absolute().parents[1]
VENV = ROOT / ".venv"
CACHE = Path(os.environ.get("HARNESS_CACHE") or ROOT / ".cache")
READY = VENV / "ready"
# Not in CACHE, which several projects may share.
STATE = ROOT / ".cache"
_MADE_FROM = ("requirements.lock", "pyproject.toml", ".venv/pyvenv.cfg")
_LOCK_DEADLINE_S = 1800.0
_LOCK_POLL_S = 0.1


class SetUpFailedError(Exception):
    """The set-up cannot go on; the message is one line that says what to do."""


def tool(name: str) -> str:
    """Give a program of the environment."""
    return str(VENV / "bin" / name)


def say(what: str) -> None:
    """Tell the person who waits; not on standard output, which is the command's own."""
    sys.stderr.write(f" set-up  {what}\n")
    sys.stderr.flush()


def stamp(root: Path = ROOT) -> str:
    """Give what the environment must have been made from: the lock, the project's settings, the interpreter.

    Args:
        root: the project's folder.

    Returns:
        A hash, or nothing when one of them is missing.
    """
    digest = hashlib.sha256()
    for name in _MADE_FROM:
        try:
            digest.update(hashlib.sha256((root / name).read_bytes()).digest())
        except OSError:
            return ""
    return digest.hexdigest()


def is_ready(root: Path = ROOT) -> bool:
    """Say whether the last set-up was finished, from what is here now, and all that it made is still there.

    Args:
        root: the project's folder.
    """
    try:
        made_from, server = (root / ".venv" / "ready").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    # Followed to the interpreter itself, which an update of the machine may have removed.
    interpreter = root / ".venv" / "bin" / "python"
    return made_from == stamp(root) and os.access(server, os.X_OK) and os.access(interpreter, os.X_OK)


def set_up() -> None:
    """Make the environment and the Toxiproxy server, unless both are there.

    Raises:
        SetUpFailedError: a step failed; the next run starts it again.
    """
    started = time.monotonic()
    if not is_ready():
        STATE.mkdir(parents=True, exist_ok=True)
        lock = os.open(STATE / "set-up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            wait_for_lock(lock)
            if not is_ready():
                from bootstrap.making import make_all  # noqa: PLC0415 - its imports are not needed when all is ready

                make_all(lock)
        finally:
            os.close(lock)
    say(f"ready in {time.monotonic() - started:.1f} s")


def wait_for_lock(lock: int, deadline_s: float = _LOCK_DEADLINE_S) -> None:
    """Wait until no other set-up of this project runs.

    Args:
        lock: descriptor of the file that is locked.
        deadline_s: seconds until the wait is given up.

    Raises:
        SetUpFailedError: the other one does not end.
    """
    gives_up_at = time.monotonic() + deadline_s
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= gives_up_at:
                raise SetUpFailedError(f"another set-up runs for more than {deadline_s:g} s: end it") from None
            if not told:
                say("waits for another one")
                told = True
            time.sleep(_LOCK_POLL_S)
        else:
            return
