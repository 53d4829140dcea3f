"""The reaper: a process that outlives the harness by as long as it takes to clean up after it.

Run by path, isolated and without site-packages, for it must be ready in some 30 ms::

    python -I -S reaper_main.py SESSION DIRECTORY SITE_PACKAGES

It makes the session's directory, says ``ready``, and then reads its standard input: ``starting`` tells that a process
is about to be started, ``started`` that it was (or could not be), ``group PID STARTED`` registers a process group,
``forget PID`` drops it. The end of input means that the harness is gone, however it went. Then every process of the
session is killed, the directory is removed, and a last line tells what was done, if anybody still reads.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
import types
from dataclasses import asdict
from pathlib import Path

# Empty stand-ins for the packages around this file: their real ones may import what needs site-packages, and time.
for _name, _folder in (("harness", Path(__file__).parents[1]), ("harness.runtime", Path(__file__).parent)):
    if _name not in sys.modules:
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = [str(_folder)]

from harness.runtime.removal import remove_session  # noqa: E402 - needs the packages above


def make_directory(directory: Path) -> int:
    """Make the session's directory and hold a lock on it; as long as anybody holds one, the session is alive."""
    while True:
        directory.mkdir(mode=0o700)
        held = os.open(directory, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_SH)
        # A clean-up of dead sessions may have come between the two calls and taken the new directory for a dead one.
        if directory.exists() and directory.stat().st_ino == os.fstat(held).st_ino:
            return held
        os.close(held)


def say(line: str) -> None:
    """Tell the harness, which may be dead by now."""
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:
        return


def listen() -> tuple[dict[int, str], bool]:
    """Give the registered process groups, and whether one was being started, once the harness is gone."""
    groups: dict[int, str] = {}
    being_started = 0
    with os.fdopen(0, "r", encoding="ascii", errors="replace") as orders:
        for line in orders:
            match line.split():
                case ["group", pid, started]:
                    groups[int(pid)] = started
                case ["starting"]:
                    being_started += 1
                case ["started"]:
                    being_started -= 1
                case ["forget", pid]:
                    groups.pop(int(pid), None)
                case _:
                    continue  # cut off in the middle: the harness died while it wrote
    return groups, being_started > 0


def main() -> int:
    """Wait for the harness's end, then clean up after it."""
    session, directory, site_packages = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    sys.path.append(site_packages)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(ignored, signal.SIG_IGN)
    began_at_s = time.time()
    try:
        make_directory(directory)
    except OSError as error:
        say(f"error {error}")
        return 1
    say("ready")
    groups, was_starting = listen()
    removed = remove_session(session, directory, groups, began_at_s=began_at_s, was_starting=was_starting)
    say(json.dumps(asdict(removed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
