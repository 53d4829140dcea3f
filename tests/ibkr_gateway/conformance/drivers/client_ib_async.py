"""Drives ib_async."""

from __future__ import annotations

from .asyncio_driver import AsyncioDriver
from .conversation import converse

if __name__ == "__main__":
    converse(lambda: AsyncioDriver("ib_async"))
