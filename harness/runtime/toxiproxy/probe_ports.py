"""The ports from which the harness itself uses a link: claimed before it connects, and so never the system's."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

# An attempt follows its claim at once; a port that the kernel gives to the system is another one for long.
_ATTEMPT_WITHIN_S = 5.0


class ProbePorts:
    """Ports of the harness's own connections over one link.

    A claim is for one connection: a port that the kernel gives to the system later is the system's. One that was never
    accepted stays claimed: a proxy that was stuck may accept it long after its probe was given up.
    """

    def __init__(self) -> None:
        self._claimed: Counter[int] = Counter()
        self._last_at_mono_s: dict[int, float] = {}
        # The loop claims, and the thread that reads the proxy's log takes.
        self._lock = threading.Lock()

    def claim(self, port: int) -> None:
        """The next connection from this port is the harness's."""
        with self._lock:
            self._claimed[port] += 1
            self._last_at_mono_s[port] = time.monotonic()

    def is_attempt(self, port: int, at_mono_s: float) -> bool:
        """Whether an attempt to connect from this port, at a monotonic time in seconds, was the harness's."""
        return 0 <= at_mono_s - self._last_at_mono_s.get(port, -math.inf) < _ATTEMPT_WITHIN_S

    def release(self, port: int) -> None:
        """None came of it: the connection was refused."""
        with self._lock:
            self._claimed -= Counter((port,))

    def take(self, port: int) -> bool:
        """Whether a connection that was accepted from this port just now is the harness's."""
        with self._lock:
            if not self._claimed[port]:
                return False
            self._claimed -= Counter((port,))
            return True
