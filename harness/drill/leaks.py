"""Looks for the stack's secrets where others read: in logs, in messages, in what was stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from harness.drill.workloads.workload import TaskLogs
from harness.history.reads import FinalReads, Leak
from harness.stack.secrets import found_in


def find_leaks(
    secrets: Mapping[str, str],
    files: Mapping[str, Path],
    logs: TaskLogs,
    reads: FinalReads,
    from_bytes: Mapping[str, int],
) -> tuple[Leak, ...]:
    """The first place in each log, message and record at which each secret stands.

    Args:
        secrets: what gives each away, by its name.
        files: the logs of services, by the names that they get in the report.
        logs: those of tasks.
        reads: everything that the witnesses said.
        from_bytes: how long each log of a service was when the drill began: what stood there before is not of it.
    """
    found: list[Leak] = []
    for name, path in files.items():
        if path.exists():
            with path.open("rb") as log:
                before = log.read(from_bytes.get(name, 0)).count(b"\n")
                lines = (line.decode(errors="replace") for line in log)
                found += _in_lines(secrets, f"logs/{name}", lines, before + 1)
    for (run, task), text in logs.items():
        found += _in_lines(secrets, f"logs/tasks/{run}/{task}.log", text.splitlines())
    found += _in_artifacts(reads)
    text = TypeAdapter(FinalReads).dump_json(reads, indent=2).decode()
    return (*found, *_in_lines(secrets, "reads.json", text.splitlines()))


def _in_artifacts(reads: FinalReads) -> Iterator[Leak]:
    told: set[tuple[str, str]] = set()
    for row in reads.artifacts:
        where = f"the stored artifact {row.name!r} ({row.type})"
        for secret in row.secrets:
            if (secret, where) not in told:
                told.add((secret, where))
                yield Leak(secret=secret, where=where, line=None)


def _in_lines(
    secrets: Mapping[str, str], where: str, lines: Sequence[str] | Iterator[str], first: int = 1
) -> Iterator[Leak]:
    left = dict(secrets)
    for number, line in enumerate(lines, start=first):
        for name in found_in(line, left):
            del left[name]
            yield Leak(secret=name, where=where, line=number)
        if not left:
            return
