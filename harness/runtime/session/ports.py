"""Ports for one session: a block of its own, claimed from the kernel, so that two drills never meet.

The claim is a socket bound to the block's first port and held for the whole life of the session: atomic between
processes, no file to go stale, and freed by the kernel however the session ends.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from dataclasses import dataclass

from harness.errors import PortsExhausted, UsageError

# Below the ports that kernels hand out for outgoing connections (from 32768 on Linux, 49152 on macOS).
DEFAULT_RANGE = "20000-29999"
RANGE_VARIABLE = "HARNESS_PORTS"
BLOCK_SIZE = 100
_LOOPBACK = "127.0.0.1"
_UNPRIVILEGED = range(1024, 65536)


@dataclass(frozen=True, slots=True)
class PortRange:
    """The ports that the harness may use, first and last included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read ``20000-29999``.

        Raises:
            UsageError: it is no range, or has no room for one block.
        """
        first, dash, last = text.partition("-")
        if not (dash and first.strip().isdecimal() and last.strip().isdecimal()):
            raise UsageError(f"{RANGE_VARIABLE} must be FIRST-LAST, as in {DEFAULT_RANGE}; it is {text!r}")
        found = cls(int(first), int(last))
        if found.first not in _UNPRIVILEGED or found.last not in _UNPRIVILEGED:
            raise UsageError(f"{RANGE_VARIABLE} must lie between 1024 and 65535; it is {text!r}")
        if found.last - found.first + 1 < BLOCK_SIZE:
            raise UsageError(f"{RANGE_VARIABLE} must hold at least {BLOCK_SIZE} ports, one block; it is {text!r}")
        return found

    @classmethod
    def from_environment(cls) -> PortRange:
        """Read the range from the environment, or take the default."""
        return cls.parse(os.environ.get(RANGE_VARIABLE, DEFAULT_RANGE))

    def blocks(self) -> range:
        """Give the first port of each whole block."""
        return range(self.first, self.last - BLOCK_SIZE + 2, BLOCK_SIZE)


class PortBlock:
    """A hundred ports that belong to this session: the first guards the block, the others are handed out.

    Args:
        guard: the socket that is bound to the block's first port.
    """

    def __init__(self, guard: socket.socket) -> None:
        self.guard = guard
        self.first: int = guard.getsockname()[1]
        self._free = deque(range(self.first + 1, self.first + BLOCK_SIZE))

    @classmethod
    def claim(cls, ports: PortRange) -> PortBlock:
        """Claim the first block of the range that no session has.

        Raises:
            PortsExhausted: every block is taken.
        """
        for first in ports.blocks():
            # No SO_REUSEADDR: with it, two sockets that do not listen may both hold the port.
            guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                guard.bind((_LOOPBACK, first))
            except OSError:
                guard.close()
                continue
            return cls(guard)
        raise PortsExhausted(
            f"all {len(ports.blocks())} blocks of {BLOCK_SIZE} ports in {ports.first}-{ports.last} are taken: "
            f"end other drills (`harness clean` removes dead ones), or set {RANGE_VARIABLE} to another range"
        )

    def take(self) -> int:
        """Hand out a port of the block that can be listened on now.

        Raises:
            PortsExhausted: none is left.
        """
        for _ in range(len(self._free)):
            port = self._free.popleft()
            if _can_listen(port):
                return port
            self._free.append(port)
        raise PortsExhausted(
            f"no free port is left in this session's block {self.first}-{self.first + BLOCK_SIZE - 1}: "
            f"the stack needs more than {BLOCK_SIZE - 1} ports, or another program listens on them"
        )

    def close(self) -> None:
        """Release the block; it is free once the reaper has released it too."""
        self.guard.close()


def _can_listen(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As every server does it: a port whose last connection still lingers is free to listen on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True
