"""When the steady run was, and where in the services' outputs: the base rate of what they write."""

from __future__ import annotations

from collections.abc import Mapping

from harness.history.events import PhaseBegan, PhaseEnded
from harness.history.history import Entry
from harness.runtime.running import RunningStack

_PHASE = "steady"


class SteadyWindow:
    """The steady run of one drill; marked as the history tells of it.

    Args:
        running: the stack.
    """

    def __init__(self, running: RunningStack) -> None:
        self._running = running
        self.began_s = 0.0
        self.ended_s = 0.0
        self.sizes_began: Mapping[str, int] = {}
        self.sizes_ended: Mapping[str, int] = {}

    def hear(self, entry: Entry) -> None:
        """Set a mark, if this entry of the history is a reason for one."""
        match entry.event:
            case PhaseBegan(phase=phase) if phase == _PHASE:
                self.began_s = self.ended_s = entry.at_s
                self.sizes_began = self.sizes_ended = self._sizes()
            case PhaseEnded(phase=phase) if phase == _PHASE:
                self.ended_s, self.sizes_ended = entry.at_s, self._sizes()
            case _:
                return

    @property
    def took_s(self) -> float:
        """How long it was, in seconds."""
        return self.ended_s - self.began_s

    def _sizes(self) -> Mapping[str, int]:
        paths = {name: self._running.logs.of_service(name) for name in self._running.stack.services}
        return {name: path.stat().st_size if path.exists() else 0 for name, path in paths.items()}
