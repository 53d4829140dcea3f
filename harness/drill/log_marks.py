"""How far each service's output had come when a drill began, when its faults came on, and when they were healed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from harness.history.events import FaultHealed, FaultOn
from harness.history.history import Entry
from harness.history.reads import ProbeRead
from harness.runtime.logs import size_of
from harness.runtime.running import RunningStack
from harness.stack.link import matches, parse_link
from harness.stack.probes import LogPromise

Sizes = Mapping[str, int]
_SHOWN = 300


class LogMarks:
    """Marks in the outputs of some services, set as the history tells of faults.

    Args:
        running: the stack.
        services: those whose output matters.
    """

    def __init__(self, running: RunningStack, services: Iterable[str]) -> None:
        self._running = running
        self._services = frozenset(services)
        self._began = self._sizes()
        self._began_at = datetime.now(UTC)
        self._on: Sizes | None = None
        self._targets: set[str] = set()
        self._healed: Sizes | None = None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When the drill began, and now."""
        return self._began_at, datetime.now(UTC)

    def hear(self, entry: Entry) -> None:
        """Set a mark, if this entry of the history is a reason for one."""
        if isinstance(entry.event, FaultOn):
            self._targets.add(entry.event.target)
            self._on = self._on or self._sizes()
        elif isinstance(entry.event, FaultHealed):
            self._healed = self._sizes()

    def read(self, promise: LogPromise) -> ProbeRead | None:
        """The lines that match; None of a part of the drill that never was, and where no fault was on its target."""
        if promise.under is not None and not any(_is_target(promise.under, target) for target in self._targets):
            return None
        first = {"drill": self._began, "faults": self._on, "after": self._healed}[promise.during]
        last = self._healed if promise.during == "faults" else self._sizes()
        if first is None or last is None:
            return None
        path = self._running.logs.of_service(promise.log)
        written = path.read_bytes()[first[promise.log] : last[promise.log]] if path.exists() else b""
        pattern = re.compile(promise.matches)
        found = [line for line in written.decode(errors="replace").splitlines() if pattern.search(line)]
        return ProbeRead(count=len(found), sample=found[0].strip()[:_SHOWN] if found else "")

    def _sizes(self) -> Sizes:
        return {service: size_of(self._running.logs.of_service(service)) for service in self._services}


def _is_target(text: str, target: str) -> bool:
    return text == target or ("->" in target and matches(text, parse_link(target)))
