"""How often the system's own log says that a call over a link met a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.drill.final_reads import TaskLogs
from harness.drill.injector import Injector, Span
from harness.stack.adapters import TrafficAdapter
from harness.stack.link import matches

# A call that met the fault at its last moment is logged once its own time limit has run out.
_LOG_DELAY_S = 5.0


def lines_that_met(
    injector: Injector, traffic: list[TrafficAdapter], logs: TaskLogs, log_file: Path, began: datetime
) -> int:
    """Count the lines of the link's client that tell of this fault, while it was on.

    Args:
        injector: the fault.
        traffic: how lines about each link look.
        logs: the logs of the tasks.
        log_file: the output of the link's client.
        began: the wall time at second 0 of the drill.
    """
    about_link = [re.compile(adapter.log) for adapter in traffic if matches(adapter.link, injector.link)]
    if not about_link or injector.span.on_at_s is None:
        return 0
    names_fault = re.compile(injector.fault.IN_LOGS, re.IGNORECASE)

    def count(lines: Iterator[str]) -> int:
        return sum(bool(names_fault.search(line)) and any(p.search(line) for p in about_link) for line in lines)

    in_tasks = count(_task_lines(logs, injector.span, began))
    in_output = count(_output_lines(log_file, injector.link.client, injector.span))
    # The service in which tasks run may repeat their lines: the larger count, not the sum.
    return max(in_tasks, in_output)


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


def _output_lines(path: Path, client: str, span: Span) -> Iterator[str]:
    if path.exists():
        with path.open("rb") as file:
            file.seek(span.log_sizes_on.get(client, 0))
            size_bytes = span.log_sizes_off.get(client, 0) - span.log_sizes_on.get(client, 0)
            yield from file.read(max(0, size_bytes)).decode(errors="replace").splitlines()
