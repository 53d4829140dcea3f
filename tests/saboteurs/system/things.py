"""Where things are kept."""

from __future__ import annotations

THINGS: list[str] = []


def keep(thing: str) -> None:
    """Keep a thing once, however often it comes."""
    if thing not in THINGS:
        THINGS.append(thing)


def drop(thing: str) -> None:
    """Forget a thing; no request asks for it."""
    THINGS.remove(thing)
