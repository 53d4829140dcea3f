"""The reaper: a process that outlives the harness by as long as it takes to clean up after it.

Run by path, isolated and without site-packages, for it must be ready in some 30 ms::

    python -I -S reaper_main.py SESSION DIRECTORY SITE_PACKAGES

It makes the session's directory, says ``ready``, and then reads its standard input: ``starting`` tells that a process
is about to be started, ``started`` that it was (or could not be), ``group PID STARTED`` registers a process group,
``forget PID`` drops it; ``engine ADDRESS`` tells that the session uses an engine, and ``asking`` and ``asked`` surround
each request to make something there. The end of input means that the harness is gone, however it went. Then every
process of the session is killed, what it has in the engine is removed, and its directory; a last line tells what was
done, if the other end of the pipe is still open.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
import types
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Empty stand-ins for the packages around this file: their real ones may import what needs site-packages, and time.
_HERE = Path(__file__).parent
_PACKAGES = {"harness": _HERE.parents[1], "harness.runtime": _HERE.parent, "harness.runtime.session": _HERE}
for _name, _folder in _PACKAGES.items():
    if _name not in sys.modules:
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = [str(_folder)]

from harness.runtime.session.removal import remove_session  # noqa: E402 - needs the packages above


def make_directory(directory: Path) -> int:
    """Make the session's directory and hold a lock on it; as long as a process holds one, the session is alive."""
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


@dataclass(slots=True)
class Orders:
    """What the harness had said by its end.

    Args:
        groups: the registered process groups, each with the start of its leader.
        being_started: how many processes were just being started.
        being_asked: how many things the engine was just asked to make.
        engine: the engine's address, if one was used.
    """

    groups: dict[int, str] = field(default_factory=dict)
    being_started: int = 0
    being_asked: int = 0
    engine: str | None = None


def listen() -> Orders:
    """Give what was said, once the harness is gone."""
    said = Orders()
    with os.fdopen(0, "r", encoding="utf-8", errors="replace") as orders:
        for line in orders:
            match line.split():
                case ["group", pid, started]:
                    said.groups[int(pid)] = started
                case ["starting"]:
                    said.being_started += 1
                case ["started"]:
                    said.being_started -= 1
                case ["asking"]:
                    said.being_asked += 1
                case ["asked"]:
                    said.being_asked -= 1
                case ["engine", address]:
                    said.engine = address
                case ["forget", pid]:
                    said.groups.pop(int(pid), None)
                case _:
                    continue  # cut off in the middle: the harness died while it wrote
    return said


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
    said = listen()
    removed = remove_session(
        session,
        directory,
        said.groups,
        began_at_s=began_at_s,
        was_starting=said.being_started > 0,
        engine=said.engine,
        was_asking=said.being_asked > 0,
    )
    say(json.dumps(asdict(removed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
