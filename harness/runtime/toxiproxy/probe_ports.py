"""The ports from which the harness itself uses a link: claimed before it connects, and so never the system's."""

from __future__ import annotations

import threading
from collections import Counter


class ProbePorts:
    """Ports of the harness's own connections over one link.

    A claim is for one connection: a port that the kernel gives to the system later is the system's. One that was never
    accepted stays claimed: a proxy that was stuck may accept it long after its probe was given up.
    """

    def __init__(self) -> None:
        self._claimed: Counter[int] = Counter()
        # The loop claims, and the thread that reads the proxy's log takes.
        self._lock = threading.Lock()

    def claim(self, port: int) -> None:
        """The next connection from this port is the harness's."""
        with self._lock:
            self._claimed[port] += 1

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
