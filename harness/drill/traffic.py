"""How often the system's own log says that something met a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.drill.base_rate import LineCount
from harness.drill.injector import Injector
from harness.drill.steady_window import SteadyWindow
from harness.drill.workloads.workload import TaskLogs
from harness.stack.adapters import TrafficAdapter
from harness.stack.link import matches


@dataclass(frozen=True, slots=True)
class Written:
    """What may tell of a fault.

    Args:
        logs: the logs of the tasks.
        outputs: the output of each service in whose log it may stand.
        began: the wall time at second 0 of the drill.
        steady: when the steady run was, which gives the base rate.
    """

    logs: TaskLogs
    outputs: Mapping[str, Path]
    began: datetime
    steady: SteadyWindow


def lines_that_hit(injector: Injector, traffic: list[TrafficAdapter], written: Written) -> LineCount | None:
    """Count the lines of those who may have met this fault that tell of it, while it was on and in the steady run.

    Args:
        injector: the fault.
        traffic: how lines about each link look.
        written: where they may stand.

    Returns:
        The count; None when the fault never was on.
    """
    span, steady = injector.span, written.steady
    if span.on_at_s is None:
        return None
    tells = _Tells(injector, traffic)
    under_s = span.hits_until_s - span.on_at_s

    def in_tasks(from_s: float, to_s: float) -> int:
        return sum(map(tells, _task_lines(written.logs, written.began, from_s, to_s)))

    def in_outputs(first: Mapping[str, int], last: Mapping[str, int]) -> int:
        parts = ((path, first.get(name, 0), last.get(name, 0)) for name, path in written.outputs.items())
        return sum(tells(line) for part in parts for line in _output_lines(*part))

    tasks = LineCount(
        under=in_tasks(span.on_at_s, span.hits_until_s),
        under_s=under_s,
        without=in_tasks(steady.began_s, steady.ended_s),
        without_s=steady.took_s,
    )
    outputs = LineCount(
        under=in_outputs(span.log_sizes_on, span.log_sizes_hit),
        under_s=under_s,
        without=in_outputs(steady.sizes_began, steady.sizes_ended),
        without_s=steady.took_s,
    )
    # The service in which tasks run may repeat their lines: the larger count, not the sum.
    return max(tasks, outputs, key=lambda count: (count.beyond, count.under))


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


def _task_lines(logs: TaskLogs, began: datetime, from_s: float, to_s: float) -> Iterator[str]:
    first, last = began + timedelta(seconds=from_s), began + timedelta(seconds=to_s)
    for text in logs.values():
        for line in text.splitlines():
            at = _time_of(line)
            if at is not None and first <= at <= last:
                yield line


def _time_of(line: str) -> datetime | None:
    try:
        record = json.loads(line)
        at = datetime.fromisoformat(record["timestamp"])
    except (ValueError, KeyError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _output_lines(path: Path, first: int, last: int) -> Iterator[str]:
    if path.exists():
        with path.open("rb") as file:
            file.seek(first)
            yield from file.read(max(0, last - first)).decode(errors="replace").splitlines()
