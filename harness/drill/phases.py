"""A phase of a drill: noted when it begins and when it ends, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import HarnessError
from harness.history.events import PhaseBegan, PhaseEnded
from harness.history.history import HistoryWriter


@contextmanager
def phase(history: HistoryWriter, name: str) -> Iterator[None]:
    """Note the beginning and the end of a phase; what it raises goes on to the caller."""
    history.add(PhaseBegan(phase=name))
    began_s = history.now_s
    try:
        yield
    except BaseException as cause:
        failure = str(cause) if isinstance(cause, HarnessError) else type(cause).__name__
        history.add(PhaseEnded(phase=name, took_s=history.now_s - began_s, failure=failure))
        raise
    history.add(PhaseEnded(phase=name, took_s=history.now_s - began_s))
