"""What a stack tells by itself, to its listener: a service that ended, a proxy that was replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.history.events import Event, ProxyReplaced, ServiceEnded, ServiceRestarted
from harness.runtime.toxiproxy.link_proxy import LinkReplaced, ReplacedBecause
from harness.stack.stack import Stack

Listener = Callable[[Event], object]

_SHOWN_LINES = 15


class Ended(Protocol):
    """A service that has ended."""

    name: str

    def tail(self, lines: int) -> str:
        """The last lines of its output."""


class Notices:
    """Passes on what happens to a stack, while there is a listener.

    Args:
        stack: whose file says which services are jobs, whose end is no news once they have done their work.

    Attributes:
        listener: who listens now; None for no listener.
        steady: whether the stack has been in its steady state: until then a service may turn out to be a job.
    """

    def __init__(self, stack: Stack) -> None:
        self.listener: Listener | None = None
        self.steady = False
        self._stack = stack

    def ended(self, service: Ended, returncode: int) -> None:
        """Tell of a service that ended without being asked to, unless it was a job that has done its work."""
        done = self._stack.jobs if self.steady else self._stack.jobs | self._stack.likely_jobs
        if returncode == 0 and service.name in done:
            return
        if self.listener is not None:
            last_output = service.tail(_SHOWN_LINES)
            self.listener(ServiceEnded(service=service.name, returncode=returncode, last_output=last_output))

    def restarted(self, service: str, took_s: float) -> None:
        """Tell of a service that is ready again after such an end, and how many seconds after it."""
        if self.listener is not None:
            self.listener(ServiceRestarted(service=service, took_s=took_s))

    def replaced(self, replaced: LinkReplaced) -> None:
        """Tell of a Toxiproxy server that was replaced."""
        if self.listener is not None:
            # One that died was not asked to; the others were replaced because the harness lifted a fault.
            expected = replaced.reason is not ReplacedBecause.DIED
            reason = f"the Toxiproxy server {replaced.reason}"
            self.listener(ProxyReplaced(link=replaced.link, reason=reason, took_s=replaced.took_s, expected=expected))
