"""A small harness to be killed: a session with services of every kind, run as a script in a folder of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

from harness.runtime.local.process import ServiceProcess
from harness.runtime.session.session import Session

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
SCRIPTS = (
    "exec sleep 600",
    "trap '' TERM HUP INT; while :; do sleep 0.05; done",
    "setsid sleep 600 & wait",
    # Without a mark in its environment, but with the session's folder among its arguments, by which the test knows it.
    "env -i setsid sh -c 'while :; do sleep 0.05; done' \"$TMPDIR\" & wait",
    "while :; do sleep 0.01 & wait; done",
)


async def main() -> None:
    """Open a session, say which, start services, say so, and wait to be killed."""
    session = await Session.open()
    sys.stdout.write(f"{session.id} {session.reaper.pid}\n")
    sys.stdout.flush()
    for number, script in enumerate(SCRIPTS):
        await ServiceProcess.start(
            f"service-{number}", ["/bin/sh", "-c", script], session=session, output=session.directory / f"{number}.log"
        )
    await ServiceProcess.start(
        "listener",
        [sys.executable, "-I", "-c", LISTEN, str(session.ports.take())],
        session=session,
        output=session.directory / "listener.log",
    )
    sys.stdout.write("up\n")
    sys.stdout.flush()
    # To be killed; when the test does not, it does not stay for ever.
    await asyncio.sleep(120)


if __name__ == "__main__":
    # A test run in the background (nohup, some CI servers) hands down that these are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    asyncio.run(main())
