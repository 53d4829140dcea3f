"""Ways to spoil the evidence of a sound drill."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from harness.checks.case import Case
from harness.checks.finding import Verdict, Weight
from harness.checks.verdict import findings_in, judge, verdict_of
from harness.history.events import Event
from harness.history.history import Entry, History
from harness.history.reads import (
    ArtifactRow,
    Notification,
    OutcomeRow,
)
from tests.checks.conftest import DRILLED, RECOVERY, STEADY, at_broker, recorded

Spoil = Callable[[Case], Case]
ALL = (STEADY, DRILLED, RECOVERY)


def reads(**changed: object) -> Spoil:
    """Replace some of the final reads."""
    return lambda case: dataclasses.replace(case, reads=dataclasses.replace(case.reads, **changed))  # type: ignore[arg-type]


def rows(change: Callable[[ArtifactRow], ArtifactRow | None]) -> Spoil:
    """Change or leave out artifacts."""

    def spoil(case: Case) -> Case:
        kept = tuple(row for each in case.reads.artifacts if (row := change(each)) is not None)
        return reads(artifacts=kept)(case)

    return spoil


def of(run: str, kind: str, **changes: object) -> Callable[[ArtifactRow], ArtifactRow]:
    """Change one artifact."""
    return lambda row: (
        dataclasses.replace(row, **changes) if (row.execution_id, row.type) == (run, kind) else row  # type: ignore[arg-type]
    )


def orders(runs: tuple[str, ...] = ALL, **changes: object) -> Spoil:
    """Change the orders of some runs, in the record and in the ledger alike."""
    return reads(
        recorded_orders=tuple(
            dataclasses.replace(recorded(run), **changes) if run in runs else recorded(run)  # type: ignore[arg-type]
            for run in ALL
        ),
        broker_orders=tuple(
            dataclasses.replace(at_broker(run), **changes) if run in runs else at_broker(run)  # type: ignore[arg-type]
            for run in ALL
        ),
    )


def signals(**changes: object) -> Spoil:
    """Change every signal."""

    def spoil(case: Case) -> Case:
        changed = tuple(dataclasses.replace(each, **changes) for each in case.reads.signals)  # type: ignore[arg-type]
        return reads(signals=changed)(case)

    return spoil


def events(*added: tuple[float, Event], without: tuple[type, ...] = ()) -> Spoil:
    """Leave out events of some kinds, and add others."""

    def spoil(case: Case) -> Case:
        kept = [(each.at_s, each.event) for each in case.history.entries if not isinstance(each.event, without)]
        told = sorted([*kept, *added], key=lambda pair: pair[0])
        entries = tuple(Entry(seq=seq, at_s=at_s, event=event) for seq, (at_s, event) in enumerate(told, start=1))
        return dataclasses.replace(case, history=History(entries))

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""

    def spoil(case: Case) -> Case:
        for each in spoils:
            case = each(case)
        return case

    return spoil


def word(outcome: str, reasons: str = "[]") -> Spoil:
    """Change the drilled run's own word."""
    others = tuple(OutcomeRow(run, "success", "[]") for run in (STEADY, RECOVERY))
    return reads(outcomes=(OutcomeRow(DRILLED, outcome, reasons), *others))


def told(*texts: str) -> Spoil:
    """Change what people were told."""
    return reads(notifications=tuple(Notification(seq, text) for seq, text in enumerate(texts, start=1)))


def assert_found_by(promise: str, spoiled: Case) -> None:
    """The drill fails, and this promise blames the system."""
    judged = judge(spoiled, ())
    assert verdict_of(judged) is Verdict.FAIL
    assert any(each.weight in (Weight.SAFETY, Weight.LIVENESS) for each in judged[promise]), findings_in(judged)
