"""The data farms of Interactive Brokers: which of them the gateway can reach, as its notices tell.

Source: "TWS API system messages" in the TWS API documentation (2103 to 2108, 2119, 2157, 2158).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FarmState(StrEnum):
    """How a farm stands; an inactive one wakes up when it is asked."""

    OK = "ok"
    BROKEN = "broken"
    INACTIVE = "inactive"
    CONNECTING = "connecting"


@dataclass(frozen=True, slots=True)
class Farm:
    """One farm.

    Args:
        kind: what it serves.
        name: the gateway's name for it.
        state: as the last notice said.
    """

    kind: str
    name: str
    state: FarmState


_NOTICES = {
    2103: ("market data", FarmState.BROKEN),
    2104: ("market data", FarmState.OK),
    2105: ("history", FarmState.BROKEN),
    2106: ("history", FarmState.OK),
    2107: ("history", FarmState.INACTIVE),
    2108: ("market data", FarmState.INACTIVE),
    2119: ("market data", FarmState.CONNECTING),
    2157: ("security definitions", FarmState.BROKEN),
    2158: ("security definitions", FarmState.OK),
}


class Farms:
    """What one connection has been told about farms so far."""

    def __init__(self) -> None:
        self._by_name: dict[str, Farm] = {}

    def heed(self, code: int, message: str) -> Farm | None:
        """Take a notice.

        Args:
            code: the gateway's number; others than those of farms are passed over.
            message: ends with the farm's name, after a colon, or after a full stop as 2107 has it.

        Returns:
            The farm as it stands now; None when the notice is not about one.
        """
        if code not in _NOTICES:
            return None
        kind, state = _NOTICES[code]
        name = message.rpartition(":" if ":" in message else ".")[2].strip() or kind
        self._by_name[name] = Farm(kind, name, state)
        return self._by_name[name]

    @property
    def all(self) -> tuple[Farm, ...]:
        """Every farm that was named."""
        return tuple(self._by_name.values())

    @property
    def broken(self) -> tuple[Farm, ...]:
        """The farms whose requests fail now."""
        return tuple(farm for farm in self.all if farm.state is FarmState.BROKEN)
