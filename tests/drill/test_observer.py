"""What is known of a run's tasks, when looks at them are too far apart to see each state."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.clients.airflow import TaskInstance
from harness.drill.observer import Observer, RunWatch
from harness.history.events import TaskChanged
from harness.history.history import HistoryWriter
from harness.history.roles import RunRole

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the harness does."""
    return "asyncio"


@pytest.mark.parametrize(
    ("seen", "reached", "not_reached"),
    [
        ("running", {"scheduled", "queued", "running"}, {"success", "failed"}),
        ("success", {"scheduled", "queued", "running", "success"}, {"failed"}),
        ("failed", {"scheduled", "queued", "failed"}, {"success", "running"}),
        ("skipped", {"skipped"}, {"scheduled", "queued", "running"}),
        ("upstream_failed", {"upstream_failed"}, {"scheduled", "queued", "running"}),
    ],
)
async def test_states_between_two_looks_count(
    tmp_path: Path, seen: str, reached: set[str], not_reached: set[str]
) -> None:
    """A trigger on a state that was too short to be seen comes all the same; the history tells only what was seen."""
    watch = RunWatch(run_id="run", role=RunRole.DRILLED)
    with HistoryWriter(tmp_path / "history.jsonl") as history:
        observer = Observer(history, None)
        await observer.note_tasks(watch, [TaskInstance(task_id="work", state=seen, try_number=1)])
        await observer.wait_for(lambda: {("work", state) for state in reached} <= watch.reached, of_tasks=True)
        assert not {("work", state) for state in not_reached} & watch.reached
        assert [event.state for _, event in history.so_far().of(TaskChanged)] == [seen]
