"""One pre-flight of a run, and what it noted."""

from __future__ import annotations

from tests.trading.parts import Parts, task
from trading.workflow import tasks


def fly(execution_id: str) -> list[str]:
    """Run the pre-flight of a run."""
    return tasks.run_preflight(task(execution_id, "preflight"), {})


def noted(parts: Parts, execution_id: str) -> list[str]:
    """What a run has noted, in order."""
    rows = parts.rows("SELECT cause FROM run_notes WHERE execution_id = %s ORDER BY id", execution_id)
    return [row["cause"] for row in rows]
