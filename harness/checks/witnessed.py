"""Each witness saw something in the steady run: an empty read is no evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.reads import ArtifactRow, FinalReads, OutcomeRow, RecordedOrder, RunRead, SignalRow

NAME = "witnessed"


def witnessed(case: Case) -> Sequence[Finding]:
    """Find witnesses that could not be read, and those that saw nothing of the steady run.

    Of one that a promise relies on, and that could not be read, that promise itself tells.
    """
    return [*_not_read(case), *_saw_nothing(case)]


def _not_read(case: Case) -> Sequence[Finding]:
    return [
        Finding(
            check=NAME,
            weight=Weight.UNPROVEN,
            title="a witness could not be read",
            expected=f"{witness} is read when everything is over",
            found=why,
            see="history.jsonl",
        )
        for witness, why in case.reads.unread.items()
        if witness not in case.relied_on
    ]


def _saw_nothing(case: Case) -> Sequence[Finding]:
    steady = case.steady
    if steady is None:
        return []
    return [
        Finding(
            check=NAME,
            weight=Weight.UNPROVEN,
            title=f"nothing shows that {' and '.join(promises)} can be judged",
            expected=f"{_WHAT[witness]} of the steady run {steady.run_id}",
            found="none was read, so that an empty read after the fault says nothing either",
            see="reads.json",
        )
        for witness, promises in case.relied_on.items()
        if witness in _SAW and case.was_read(witness) and not _SAW[witness](case.reads, steady)
    ]


def _bears(rows: Sequence[ArtifactRow | RecordedOrder | SignalRow | OutcomeRow], steady: RunRead) -> bool:
    return any(row.execution_id == steady.run_id for row in rows)


def _ledger_saw(reads: FinalReads, steady: RunRead) -> bool:
    """Whether the ledger has an order of the steady run: by its record, or by its time where there is no record."""
    refs = {row.order_ref for row in reads.recorded_orders if row.execution_id == steady.run_id}
    return any(order.order_ref in refs or _before(order.received_at, steady.ended_at) for order in reads.broker_orders)


def _before(at: datetime | None, ended: datetime | None) -> bool:
    return at is not None and ended is not None and at <= ended


_SAW: Mapping[str, Callable[[FinalReads, RunRead], bool]] = {
    "artifacts": lambda reads, steady: _bears(reads.artifacts, steady),
    "orders": lambda reads, steady: _bears(reads.recorded_orders, steady),
    "gateway": _ledger_saw,
    "signals": lambda reads, steady: _bears(reads.signals, steady),
    "outcome": lambda reads, steady: _bears(reads.outcomes, steady),
    "operations": lambda reads, steady: any(steady.run_id in operation for operation in reads.operations or ()),
}
_WHAT: Mapping[str, str] = {
    "artifacts": "artifacts",
    "orders": "orders in the system's record",
    "gateway": "orders in the gateway's ledger",
    "signals": "decisions",
    "outcome": "the outcome, in the system's own record,",
    "operations": "what the requests have left",
}


CHECK = Check(
    name=NAME,
    judge=witnessed,
    holds_when="each witness that a promise relies on saw something of the steady run",
    witness="all of them",
    blind_to="a witness that lies",
)
