"""What two runs of the same work are compared by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness.history.reads import ArtifactRow

Key = tuple[str | None, str, str | None, str]
"""Task, type, symbol and name of an artifact, with ``{run}`` in the place of its run."""


def key_of(row: ArtifactRow, run_id: str) -> Key:
    """What an artifact is, whichever run has made it."""
    return row.task_id, row.type, row.symbol, row.name.replace(run_id, "{run}")


def keys_of(rows: Iterable[ArtifactRow], run_id: str) -> Counter[Key]:
    """How often a run has stored each."""
    return Counter(key_of(row, run_id) for row in rows)
