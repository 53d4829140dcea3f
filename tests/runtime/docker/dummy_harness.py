"""A small harness to be killed: a session with a small stack of containers, run as a script with a folder of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness.runtime.docker.engine import Engine
from harness.runtime.docker.stack import ContainerStack
from harness.runtime.session.session import Session
from harness.stack.stack import load_stack


async def main() -> None:
    """Open a session, say which, start a stack, say so, and wait to be killed."""
    engine = Engine.find()
    session = await Session.open()
    sys.stdout.write(f"{session.id} {session.reaper.pid}\n")
    sys.stdout.flush()
    await ContainerStack(load_stack(Path(sys.argv[1]), {}), session, engine=engine).start()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    # To be killed; when the test does not, it does not stay for ever.
    await asyncio.sleep(120)


if __name__ == "__main__":
    asyncio.run(main())
