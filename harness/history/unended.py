"""What a run was still at when the harness waited for it no longer."""

from __future__ import annotations

from collections.abc import Iterator

from harness.history.events import RunChanged, TaskChanged
from harness.history.history import History

_BEGUN = frozenset({"running", "up_for_retry", "deferred", "restarting"})
_AT_WORK = _BEGUN | {"queued"}


def still_at_work(history: History, run: str) -> str:
    """Say which of a run's tasks had not ended, or what the run itself was.

    Args:
        history: what happened until then.
        run: the run.
    """
    states = [(entry.at_s, event.state) for entry, event in history.of(RunChanged) if event.run == run]
    if not states:
        return "nothing was heard of it"
    began_s, (since_s, state) = states[0][0], states[-1]
    stuck = "; ".join(_tasks_at_work(history, run, began_s))
    return stuck or f"it was still {state} (since +{since_s - began_s:.1f} s)"


def _tasks_at_work(history: History, run: str, began_s: float) -> Iterator[str]:
    last = {event.task: (entry.at_s, event) for entry, event in history.of(TaskChanged) if event.run == run}
    waiting = [(at_s, event) for at_s, event in last.values() if event.state in _AT_WORK]
    # One that has not begun waits for one that has.
    for at_s, event in [each for each in waiting if each[1].state in _BEGUN] or waiting:
        yield f"{event.task} was still {event.state} (attempt {event.attempt}, since +{at_s - began_s:.1f} s)"
