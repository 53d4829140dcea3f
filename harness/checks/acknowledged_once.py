"""What the system acknowledged is there once; what it refused, at most once; and nothing else is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.events import Fate, OperationEnded
from harness.history.history import Entry

NAME = "acknowledged-once"
_SHOWN = 3
Sent = Mapping[str, tuple[Entry, OperationEnded]]


def acknowledged_once(case: Case) -> Sequence[Finding]:
    """Hold what each request was answered against what the final reads find of it."""
    if case.reads.operations is None or not case.was_read("operations"):
        return []
    before = set(case.reads.operations_before)
    found = Counter(operation for operation in case.reads.operations if operation not in before)
    sent = {event.operation: (entry, event) for entry, event in case.history.of(OperationEnded)}
    return [*_lost(case, sent, found), *_doubled(case, sent, found), *_orphans(found, set(sent))]


def _lost(case: Case, sent: Sent, found: Counter[str]) -> Iterator[Finding]:
    lost = [pair for name, pair in sent.items() if pair[1].fate is Fate.ACKNOWLEDGED and not found[name]]
    if lost:
        (first, event), others = lost[0], ", ".join(each.operation for _, each in lost[1 : _SHOWN + 1])
        more = f"; lost as well: {others}" + ", …" * (len(lost) > _SHOWN + 1) if others else ""
        yield _finding(
            case,
            "an acknowledged operation was lost"
            if len(lost) == 1
            else f"{len(lost)} acknowledged operations were lost",
            f"{event.operation} is there once",
            f"it is not there, although it was answered {event.detail} at +{first.at_s:.1f} s{more}",
            first,
        )


def _doubled(case: Case, sent: Sent, found: Counter[str]) -> Iterator[Finding]:
    for name, (entry, event) in sent.items():
        if found[name] > 1:
            yield _finding(
                case,
                "an operation was done twice",
                f"{name} ({event.fate}: {event.detail}) is there "
                + ("once" if event.fate is Fate.ACKNOWLEDGED else "at most once"),
                f"it is there {found[name]} times",
                entry,
            )


def _orphans(found: Counter[str], sent: set[str]) -> Iterator[Finding]:
    for operation in sorted(set(found) - sent):
        yield Finding(
            check=NAME,
            weight=Weight.SAFETY,
            title="an operation is there that no request asked for",
            expected="every operation that is found was sent by the workload in this drill",
            found=f"{operation} was never sent",
            see="reads.json",
        )


def _finding(case: Case, title: str, expected: str, found: str, entry: Entry) -> Finding:
    see = f"{case.history.lines(entry, entry)} · reads.json"
    return Finding(check=NAME, weight=Weight.SAFETY, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=acknowledged_once,
    holds_when="every request that was acknowledged left its trace once, in a system without Airflow",
    witness="SQL or its API",
    needs=("operations",),
    of_work=True,
    blind_to="what a request did beside the trace that is read",
)
