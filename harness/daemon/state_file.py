"""Where commands look for a daemon, and how they know that its stack is the one they mean."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from harness.daemon.messages import DaemonState
from harness.runtime.cache import cache_directory
from harness.runtime.docker.engine import Engine
from harness.runtime.running import RuntimeName
from harness.stack.overlay import read_stack_source
from harness.stack.stack import Stack

_NAME_LENGTH = 12


def state_path(stack: Path) -> Path:
    """The file that says where the daemon of a compose file is."""
    name = hashlib.sha256(str(stack.resolve()).encode()).hexdigest()[:_NAME_LENGTH]
    return cache_directory(stack.resolve().parent) / "daemons" / f"{name}.json"


def description_of(stack: Path, saboteur: str | None, runtime: RuntimeName, images: Mapping[str, str]) -> str:
    """A digest of what a stack is made from: the same digest, the same stack.

    Args:
        stack: the compose file.
        saboteur: the defect that is planted, if any.
        runtime: how it runs.
        images: each image that it is made of, and what that is now.
    """
    made_from = (saboteur, str(runtime), sorted(images.items()))
    under = read_stack_source(stack).under
    files = [stack, *([] if under is None else [under.path])]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + repr(made_from).encode()).hexdigest()


async def describe_now(stack: Stack, saboteur: str | None, runtime: RuntimeName) -> str:
    """The digest of a stack as it would be started now.

    Raises:
        SetUpError: no engine answers, though the runtime needs one.
        HarnessError: an image is missing.
    """
    images: dict[str, str] = {}
    if runtime is RuntimeName.DOCKER:
        engine = await asyncio.to_thread(Engine.find)
        try:
            used = {each.container.image for each in stack.services.values() if each.container is not None}
            images = {image: await engine.image_id(image) for image in sorted(used)}
        finally:
            engine.close()
    return description_of(stack.path, saboteur, runtime, images)


def read_state(stack: Path) -> DaemonState | None:
    """The daemon that runs the stack of a compose file, if there is one; a state file that outlived it is removed."""
    file = state_path(stack)
    try:
        state = DaemonState.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not state.socket.exists():
        file.unlink(missing_ok=True)
        return None
    return state
