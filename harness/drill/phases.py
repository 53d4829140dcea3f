"""A phase of a drill: noted when it begins and when it ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harness.errors import HarnessError
from harness.history.events import PhaseBegan, PhaseEnded
from harness.history.history import History, HistoryWriter

_IN_PHASE: Mapping[str, str] = {
    "reset": "in its reset of the stack",
    "steady": "in the steady run",
    "faults": "in the run with the faults",
    "heal": "in its look at the healed links",
    "settle": "in the recovery runs",
    "reads": "in its final reads",
}
_BEFORE, _AFTER = "as it opened its clients", "as it closed its clients"


@contextmanager
def phase(history: HistoryWriter, name: str) -> Iterator[None]:
    """Note the beginning and the end of a phase; what it raises goes on to the caller."""
    history.add(PhaseBegan(phase=name))
    began_s = history.now_s
    try:
        yield
    except BaseException as cause:
        said = str(cause)
        failure = said if isinstance(cause, HarnessError) else f"{type(cause).__name__}{f': {said}' if said else ''}"
        history.add(PhaseEnded(phase=name, took_s=history.now_s - began_s, failure=failure))
        raise
    history.add(PhaseEnded(phase=name, took_s=history.now_s - began_s))


def part_that_failed(history: History) -> str:
    """What of a drill failed last, as in "in its final reads"."""
    ended = list(history.of(PhaseEnded))
    if not ended:
        return _BEFORE
    _, last = ended[-1]
    return _AFTER if last.failure is None else _IN_PHASE.get(last.phase, f"in its phase {last.phase}")
