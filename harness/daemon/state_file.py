"""Where commands look for a kept stack, and how they know that it is the one they mean."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from harness.daemon.messages import Kept
from harness.runtime.cache import cache_directory
from harness.runtime.docker.engine import Engine
from harness.runtime.running import RuntimeName
from harness.stack.overlay import read_stack_source
from harness.stack.stack import Stack

_NAME_LENGTH = 12


def state_path(stack: Path) -> Path:
    """The file that says where the kept stack of a compose file is."""
    name = hashlib.sha256(str(stack.resolve()).encode()).hexdigest()[:_NAME_LENGTH]
    return cache_directory(stack.resolve().parent) / "kept" / f"{name}.json"


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


def read_state(stack: Path) -> Kept | None:
    """The kept stack of a compose file, if its keeper still listens; a stale pointer is removed."""
    file = state_path(stack)
    try:
        kept = Kept.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not kept.socket.exists():
        file.unlink(missing_ok=True)
        return None
    return kept
