"""What the tasks of a run have counted on this host is added up, in any order and from any process."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from trading.workflow.artifact_metrics import ArtifactMetrics
from trading.workflow.local_notes import LocalNotes

_TASKS = 8


def test_metrics_of_tasks_add_up_by_run(tmp_path: Path) -> None:
    """Each run has its own sums."""
    notes = LocalNotes(tmp_path)
    assert notes.counted("run") == ArtifactMetrics()
    notes.count("run", ArtifactMetrics(stored=2, retried=1))
    notes.count("run", ArtifactMetrics(stored=1, spooled=3, dead=1))
    notes.count("another", ArtifactMetrics(replayed=5))
    assert notes.counted("run") == ArtifactMetrics(stored=3, retried=1, spooled=3, dead=1)
    assert notes.counted("another") == ArtifactMetrics(replayed=5)
    assert notes.counted("third") == ArtifactMetrics()


def test_metrics_of_tasks_at_the_same_time_are_all_counted(tmp_path: Path) -> None:
    """Two charts are drawn side by side."""
    threads = [
        threading.Thread(target=lambda: LocalNotes(tmp_path).count("run", ArtifactMetrics(stored=1)))
        for _ in range(_TASKS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LocalNotes(tmp_path).counted("run") == ArtifactMetrics(stored=_TASKS)


def test_metrics_that_cannot_be_kept_fail_no_task(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are told instead."""
    notes = LocalNotes(tmp_path)
    notes.count("run", ArtifactMetrics(stored=1))
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"not a database" * 1000)
    notes.count("run", ArtifactMetrics(stored=1))
    assert notes.counted("run") == ArtifactMetrics()
    told = [record.getMessage().split()[0] for record in caplog.records]
    assert told == ["artifact_metrics_lost", "artifact_metrics_unreadable"]


def test_notes_are_for_their_owner_only(tmp_path: Path) -> None:
    """They tell of orders."""
    LocalNotes(tmp_path).add("run", "place_order", "degraded", "an order had to be reconciled")
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
