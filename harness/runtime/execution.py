"""A command run where a service runs: in its container, or as a local process with its environment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from docker.errors import DockerException
from docker.models.containers import Container

from harness.errors import HarnessError
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RunningStack


async def execute(running: RunningStack, service: str, argv: Sequence[str], output: Path) -> int:
    """Run a command to its end.

    When cancelled, a local process is ended. In a container it goes on: the engine has no word to end it, and its
    process id means nothing outside the engine's own machine.

    Args:
        running: the stack.
        service: whose container or environment it gets.
        argv: the command; no shell reads it.
        output: the file for what it writes.

    Returns:
        Its exit code.

    Raises:
        HarnessError: it could not be run at all.
    """
    container = running.service(service).container()
    if container is not None:
        return await _in_container(container, service, argv, output)
    if isinstance(running, LocalStack):
        return await running.execute(service, argv, output)
    raise HarnessError(f"{service} runs neither in a container nor as a local process: no command can be run there")


async def _in_container(container: Container, service: str, argv: Sequence[str], output: Path) -> int:
    try:
        code, written = await asyncio.to_thread(container.exec_run, list(argv))
    except DockerException as cause:
        raise HarnessError(f"{argv[0]} could not be run in the container of {service}: {cause}") from cause
    await asyncio.to_thread(output.write_bytes, written if isinstance(written, bytes) else b"")
    return int(code if code is not None else -1)
