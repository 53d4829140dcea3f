"""What was removed from an engine at the end of a session. Standard library only, and little of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemovedFromEngine:
    """What was removed.

    Args:
        containers: how many.
        networks: how many.
        volumes: how many.
        left: what is still there, or why that is not known.
    """

    containers: int = 0
    networks: int = 0
    volumes: int = 0
    left: tuple[str, ...] = ()
