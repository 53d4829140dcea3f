"""The load's report says what happened, to people and to programs."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.clients.airflow import TaskInstance
from harness.load.loading import task_medians_s
from harness.load.locust_process import read_records
from harness.load.plan import LoadPlan
from harness.load.report import markdown, write_load_report
from harness.load.result import LoadResult
from tests.load.conftest import bad, good


def test_report_of_a_missed_threshold_names_the_runs(tmp_path: Path) -> None:
    """The run that failed, and why, stands in each form of the report."""
    write_load_report(tmp_path, LoadResult(LoadPlan(runs=2), (good(1), bad(2)), {"place_order": 0.5}))
    said = json.loads((tmp_path / "load.json").read_text(encoding="utf-8"))
    assert (said["met"], said["succeeded"], said["success_rate"], said["median_s"]) == (False, 1, 0.5, 3.0)
    suite = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - written two lines above
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    for text in (ET.tostring(suite, encoding="unicode"), (tmp_path / "load.md").read_text(encoding="utf-8")):
        assert "load__2: Airflow has the run as failed" in text


def test_report_of_a_met_threshold_has_no_failure(tmp_path: Path) -> None:
    """A run that failed below the threshold fails no pipeline."""
    result = LoadResult(LoadPlan(runs=2, success_threshold=0.5), (good(1), bad(2)))
    write_load_report(tmp_path, result)
    suite = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - written by the line above
    assert suite.get("failures") == "0"
    assert "# Load report: PASS" in markdown(result)


def test_task_medians_stand_in_the_order_of_the_run() -> None:
    """Each task's median, over the runs in which it ended."""
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def task(name: str, after_s: float, took_s: float | None) -> TaskInstance:
        start = noon + timedelta(seconds=after_s)
        end = None if took_s is None else start + timedelta(seconds=took_s)
        return TaskInstance(task_id=name, state="success", try_number=1, start_date=start, end_date=end)

    runs = [
        [task("second", 5, 2.0), task("first", 0, 1.0)],
        [task("second", 5, 4.0), task("first", 0, 3.0)],
        [task("second", 5, 9.0), task("first", 0, None)],
    ]
    assert list(task_medians_s(runs).items()) == [("first", 2.0), ("second", 4.0)]


def test_records_that_are_half_written_wait(tmp_path: Path) -> None:
    """A line that is still being written is not read yet."""
    path = tmp_path / "runs.jsonl"
    assert read_records(path) == ()
    whole = good(1).model_dump_json()
    path.write_text(f"{whole}\n{whole[:20]}", encoding="utf-8")
    assert read_records(path) == (good(1),)
