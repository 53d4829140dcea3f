"""A history goes on when its file cannot be written any more, and what was reached is written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.checks.finding import Verdict
from harness.drill.lasting_history import LastingHistory
from harness.drill.unjudged import without_evidence
from harness.errors import ReportNotWritten
from harness.history.events import PhaseBegan
from harness.history.history import Entry, read_history
from harness.report.files import write_report
from harness.report.result import DrillResult

RESULT = DrillResult("calm", "Calm.", (), Verdict.PASS, 7, "harness drill calm")


def test_history_without_a_place_goes_on_in_memory(tmp_path: Path) -> None:
    """Nothing is lost of it, its listener hears all, and it can be written once there is a place."""
    heard: list[Entry] = []
    path = tmp_path / "gone" / "history.jsonl"
    with LastingHistory(path, str, heard.append) as history:
        history.add(PhaseBegan(phase="reset"))
        history.add(PhaseBegan(phase="steady"))
        assert f"{path}: the history cannot be written" in history.unwritten
        assert not history.was_removed()
    assert list(history.so_far().entries) == heard
    assert len(heard) == 2
    path.parent.mkdir()
    history.write_anew()
    assert read_history(path) == history.so_far()


def test_history_whose_disk_is_full_goes_on_in_memory(tmp_path: Path) -> None:
    """A line that does not fit ends the file, not the drill."""
    path = tmp_path / "history.jsonl"
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which is always full")
    heard: list[Entry] = []
    with LastingHistory(path, str, heard.append) as history:
        history.add(PhaseBegan(phase="reset"))
        os.dup2(os.open("/dev/full", os.O_WRONLY), history._file.fileno())
        history.add(PhaseBegan(phase="steady"))
        history.add(PhaseBegan(phase="faults"))
        assert os.strerror(errno.ENOSPC) in history.unwritten
    assert [entry.seq for entry in heard] == [1, 2, 3]
    history.write_anew()
    assert read_history(path) == history.so_far()


def test_history_that_is_removed_is_noticed(tmp_path: Path) -> None:
    """What is written into a file without a name is read by nothing; another file under the name is not ours."""
    path = tmp_path / "history.jsonl"
    with LastingHistory(path) as history:
        history.add(PhaseBegan(phase="reset"))
        assert not history.was_removed()
        path.rename(tmp_path / "moved")
        assert history.was_removed()
        path.write_text("")
        assert history.was_removed()


def test_pass_without_evidence_is_none_and_a_fail_is_one(tmp_path: Path) -> None:
    """What nothing shows is not passed; what was found stands."""
    assert without_evidence(RESULT, "full").verdict is Verdict.INCONCLUSIVE
    (finding,) = without_evidence(RESULT, "full").findings
    assert (finding.check, finding.found) == ("controlled", "full")
    failed = DrillResult("calm", "Calm.", (), Verdict.FAIL, 7, "harness drill calm")
    assert without_evidence(failed, "full").verdict is Verdict.FAIL


def test_report_that_cannot_be_written_leaves_no_older_one(tmp_path: Path) -> None:
    """A verdict of fewer drills than there were would read like the verdict of all."""
    write_report(tmp_path, [RESULT])
    # In the way of the file that becomes the report once it is whole.
    (tmp_path / ".verdict.json").mkdir()
    with pytest.raises(ReportNotWritten, match=r"the report cannot be written: verdict\.json: Is a directory"):
        write_report(tmp_path, [RESULT, RESULT])
    assert 'tests="2"' in (tmp_path / "junit.xml").read_text()
    assert not (tmp_path / "verdict.json").exists()
