"""How often the system's own log says that something met a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.drill.injector import Injector
from harness.drill.span import Span
from harness.drill.workloads.workload import TaskLogs
from harness.stack.adapters import TrafficAdapter
from harness.stack.link import matches

# A call that the fault hit at its last moment is logged once its own time limit has run out.
_LOG_DELAY_S = 5.0


def lines_that_hit(
    injector: Injector,
    traffic: list[TrafficAdapter],
    logs: TaskLogs,
    log_files: Mapping[str, Path],
    began: datetime,
) -> int:
    """Count the lines of those who may have met this fault that tell of it, while it was on.

    Args:
        injector: the fault.
        traffic: how lines about each link look.
        logs: the logs of the tasks.
        log_files: the output of each service in whose log it may stand.
        began: the wall time at second 0 of the drill.
    """
    if injector.span.on_at_s is None:
        return 0
    tells = _Tells(injector, traffic)
    in_tasks = sum(map(tells, _task_lines(logs, injector.span, began)))
    in_output = sum(
        tells(line) for name, path in log_files.items() for line in _output_lines(path, name, injector.span)
    )
    # The service in which tasks run may repeat their lines: the larger count, not the sum.
    return max(in_tasks, in_output)


class _Tells:
    """Whether a line tells of a fault: of a call over one of its links, or of what only the service itself meets."""

    def __init__(self, injector: Injector, traffic: list[TrafficAdapter]) -> None:
        links = injector.effect.links
        self._about_link = [
            re.compile(adapter.log) for adapter in traffic if any(matches(adapter.link, link) for link in links)
        ]
        self._names_fault = re.compile(injector.fault.IN_LOGS, re.IGNORECASE)
        own = injector.fault.IN_OWN_LOG
        self._own = re.compile(own, re.IGNORECASE) if own else None

    def __call__(self, line: str) -> bool:
        if self._own is not None and self._own.search(line):
            return True
        return bool(self._names_fault.search(line)) and any(about.search(line) for about in self._about_link)


def _task_lines(logs: TaskLogs, span: Span, began: datetime) -> Iterator[str]:
    on = began + timedelta(seconds=span.on_at_s or 0.0)
    off = began + timedelta(seconds=(span.off_at_s or 0.0) + _LOG_DELAY_S)
    for text in logs.values():
        for line in text.splitlines():
            at = _time_of(line)
            if at is not None and on <= at <= off:
                yield line


def _time_of(line: str) -> datetime | None:
    try:
        record = json.loads(line)
        at = datetime.fromisoformat(record["timestamp"])
    except (ValueError, KeyError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _output_lines(path: Path, service: str, span: Span) -> Iterator[str]:
    if path.exists():
        with path.open("rb") as file:
            file.seek(span.log_sizes_on.get(service, 0))
            size_bytes = span.log_sizes_off.get(service, 0) - span.log_sizes_on.get(service, 0)
            yield from file.read(max(0, size_bytes)).decode(errors="replace").splitlines()
