"""What was acknowledged is there once: each way to break that is found, and nothing else is."""

from __future__ import annotations

import dataclasses

import pytest

from harness.checks.acknowledged_once import acknowledged_once
from harness.checks.case import Case
from harness.checks.finding import Weight
from harness.history.events import Event, Fate, OperationEnded
from tests.checks.conftest import history_of

FATES = {"a": Fate.ACKNOWLEDGED, "b": Fate.FAILED, "c": Fate.UNKNOWN}


def ended(operation: str, fate: Fate) -> Event:
    """The end of a request."""
    return OperationEnded(run="drilled__1", operation=operation, fate=fate, detail="201", took_s=0.1)


@pytest.fixture
def asked(sound: Case) -> Case:
    """A drill with one request of each fate, of which nothing has been read yet."""
    events = [(float(at_s), ended(name, fate)) for at_s, (name, fate) in enumerate(FATES.items())]
    return dataclasses.replace(sound, history=history_of(*events))


def read(case: Case, *operations: str, before: tuple[str, ...] = ()) -> Case:
    """The drill, with these operations found in the end."""
    reads = dataclasses.replace(case.reads, operations=operations, operations_before=before)
    return dataclasses.replace(case, reads=reads)


@pytest.mark.parametrize("operations", ["a", "ab", "ac", "cba"])
def test_acknowledged_once_holds(asked: Case, operations: str) -> None:
    """The acknowledged one is there once; the others may be there or not."""
    assert list(acknowledged_once(read(asked, *operations))) == []


@pytest.mark.parametrize(
    ("operations", "title"),
    [
        ("", "an acknowledged operation was lost"),
        ("bc", "an acknowledged operation was lost"),
        ("aa", "an operation was done twice"),
        ("abb", "an operation was done twice"),
        ("acc", "an operation was done twice"),
        ("ax", "an operation is there that no request asked for"),
    ],
)
def test_acknowledged_once_broken_is_found(asked: Case, operations: str, title: str) -> None:
    """A loss, a double of any fate and an operation that no request asked for each fail the drill."""
    (finding,) = acknowledged_once(read(asked, *operations))
    assert (finding.title, finding.weight) == (title, Weight.SAFETY)


def test_acknowledged_once_tells_many_losses_in_one_finding(sound: Case) -> None:
    """Twenty losses are one finding that counts them and names the first few."""
    events = [(float(number), ended(f"op-{number}", Fate.ACKNOWLEDGED)) for number in range(20)]
    (finding,) = acknowledged_once(read(dataclasses.replace(sound, history=history_of(*events))))
    assert finding.title == "20 acknowledged operations were lost"
    assert "op-0" in finding.expected
    assert finding.found.endswith("lost as well: op-1, op-2, op-3, …")


def test_acknowledged_once_leaves_alone_what_was_there_before(asked: Case) -> None:
    """What an earlier drill left in a database that is not emptied is not counted as unasked for."""
    assert list(acknowledged_once(read(asked, "a", "old", before=("old",)))) == []


def test_acknowledged_once_says_nothing_of_what_was_not_read(asked: Case) -> None:
    """A drill that ended before its final reads has lost nothing by that."""
    assert list(acknowledged_once(asked)) == []
