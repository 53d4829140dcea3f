"""Reading witnesses one by one: one that cannot be read is named, and takes nothing with it of what the others say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

Seen = TypeVar("Seen")
_WITHIN_S = 30.0


class Reading:
    """What could not be read, and why.

    Args:
        within_s: how long each witness may take, in seconds.
    """

    def __init__(self, within_s: float = _WITHIN_S) -> None:
        self._within_s = within_s
        self._unread: dict[str, str] = {}

    @property
    def unread(self) -> Mapping[str, str]:
        """Why, by the witness's name."""
        return dict(self._unread)

    async def of(self, witness: str, look: Awaitable[Seen], otherwise: Seen) -> Seen:
        """What a witness says.

        Args:
            witness: its name.
            look: asks it.
            otherwise: what stands for its word when it cannot be asked; it says nothing then.
        """
        try:
            async with asyncio.timeout(self._within_s):
                return await look
        except TimeoutError:
            self._unread[witness] = f"no answer within {self._within_s:g} s"
        except Exception as cause:  # noqa: BLE001 - the others are read, for any reason why this one is not
            self._unread[witness] = f"{type(cause).__name__}: {cause}"
        return otherwise
