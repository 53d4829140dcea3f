"""A promise that the stack's file states itself: what a query must find, or how often a log says something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import ProbeRead
from harness.stack.probes import LogPromise, Probe, SqlPromise

_DURING = {"drill": "", "faults": " while faults are on", "after": " after the last heal"}


def probe_check(name: str, probe: Probe) -> Check:
    """The check of one probe."""

    def judge(case: Case) -> Sequence[Finding]:
        read = case.reads.probes.get(name)
        # A drill that ended before its final reads has trouble of its own to tell.
        return [] if read is None else [*_judge(name, probe, read)]

    return Check(
        name,
        judge,
        holds_when="as the stack's file states",
        witness="SQL, or a service's log",
        needs=(f"probes.{name}",),
        of_work=True,
    )


def _judge(name: str, probe: Probe, read: ProbeRead) -> Iterator[Finding]:
    match probe:
        case SqlPromise(rows=None, value=value):
            if read.count != 1 or read.value != _text(value):
                found = read.value if read.count == 1 else f"{read.count} rows"
                yield _finding(name, "a query finds another value", f"{_text(value)}: {probe.sql}", f"{found} (SQL)")
        case SqlPromise(rows=rows):
            if read.count != rows:
                first = f", the first: {read.sample}" if read.sample else ""
                yield _finding(
                    name, "a query finds other rows", f"{rows} rows: {probe.sql}", f"{read.count}{first} (SQL)"
                )
        case LogPromise():
            yield from _judge_log(name, probe, read)


def _judge_log(name: str, probe: LogPromise, read: ProbeRead) -> Iterator[Finding]:
    what = f"of {probe.log}'s output{_DURING[probe.during]} matching {probe.matches!r}"
    see = f"logs/{probe.log}.log"
    if probe.at_most is not None and read.count > probe.at_most:
        found = f"{read.count}, the first: {read.sample}"
        yield _finding(name, "a log says what it must not", f"at most {_lines(probe.at_most)} {what}", found, see)
    elif read.count < probe.at_least:
        expected = f"at least {_lines(probe.at_least)} {what}"
        # Only a system that the fault really hit had something to tell.
        yield _finding(name, "a log does not say what it must", expected, f"{read.count}", see, Weight.LIVENESS)


def _finding(
    name: str, title: str, expected: str, found: str, see: str = "reads.json", weight: Weight = Weight.SAFETY
) -> Finding:
    return Finding(check=name, weight=weight, title=title, expected=expected, found=found, see=see)


def _lines(count: int) -> str:
    return f"{count} line{'s' * (count != 1)}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
