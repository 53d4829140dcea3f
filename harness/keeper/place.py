"""Where commands look for a kept stack, and how they know that it is the one they mean."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.keeper.messages import Kept
from harness.runtime.cache import cache_directory

_NAME_LENGTH = 12


def pointer_file(stack: Path) -> Path:
    """The file that says where the kept stack of a compose file is."""
    name = hashlib.sha256(str(stack.resolve()).encode()).hexdigest()[:_NAME_LENGTH]
    return cache_directory(stack.resolve().parent) / "kept" / f"{name}.json"


def description_of(stack: Path, saboteur: str | None) -> str:
    """A digest of what a stack is made from: the same digest, the same stack."""
    return hashlib.sha256(stack.read_bytes() + repr(saboteur).encode()).hexdigest()


def read_pointer(stack: Path) -> Kept | None:
    """The kept stack of a compose file, if its keeper still listens; a stale pointer is removed."""
    file = pointer_file(stack)
    try:
        kept = Kept.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not kept.socket.exists():
        file.unlink(missing_ok=True)
        return None
    return kept
