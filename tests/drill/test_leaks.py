"""Secrets that stand where others read them."""

from __future__ import annotations

from pathlib import Path

from harness.drill.leaks import find_leaks
from harness.history.reads import ArtifactRow, FinalReads, Leak

SECRETS = {"API_TOKEN": "a-long-token", "the password in DATABASE_URL": "://trader:short@"}


def test_secret_is_found_in_logs_tasks_and_artifacts(tmp_path: Path) -> None:
    """Each place is told once, by its first line; what stood in a log before the drill is not of it."""
    log = tmp_path / "app.log"
    log.write_text("a-long-token\n")
    before = log.stat().st_size
    log.write_text("a-long-token\nbegan\nto postgresql://trader:short@db/trading\nagain ://trader:short@\n")
    tasks = {("run-1", "draw"): "one line\nsent with a-long-token"}
    artifact = ArtifactRow("run-1", "draw", "chart", "AAPL", "daily", (("data", "0f3a"),), secrets=("API_TOKEN",))
    reads = FinalReads({}, (artifact, artifact), (), (), (), ())
    assert find_leaks(SECRETS, {"app.log": log}, tasks, reads, {"app.log": before}) == (
        Leak("the password in DATABASE_URL", "logs/app.log", 3),
        Leak("API_TOKEN", "logs/tasks/run-1/draw.log", 2),
        Leak("API_TOKEN", "the stored artifact 'daily' (chart)", None),
    )
