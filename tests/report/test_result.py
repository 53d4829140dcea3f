"""A drill's result is one thing: written down, read back, and asked by tests."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness.checks.finding import Finding, Verdict, Weight
from harness.history.history import Entry, History
from harness.report.files import as_json, write_report
from harness.report.result import DrillFailed, DrillResult, verdict_of_all

FINDING = Finding("artifacts-once", Weight.SAFETY, "an artifact was lost", "one", "none", "reads.json")
UNSOUND = Finding("fault-hit", Weight.UNSOUND, "the fault did not hit", "hits", "none")
RESULT = DrillResult(
    scenario="backend-down",
    about="The backend is away.",
    faults=("workflow → backend refused",),
    verdict=Verdict.FAIL,
    seed=7,
    again="harness drill backend-down --seed 7",
    checks=("artifacts-once", "orders-once", "fault-hit"),
    promises=2,
    kept=1,
    findings=(FINDING,),
    hits=3,
    healed_ms=4.5,
    folder="backend-down",
    report=Path("/reports/now"),
)
SKIPPED = DrillResult("cut", "Cut off.", (), Verdict.SKIPPED, 7, "harness drill cut", skipped="it needs a container")


def test_result_comes_back_as_it_was_written() -> None:
    """Everything but the report's place is in the document; the reader of a report knows that."""
    (read,) = TypeAdapter(tuple[DrillResult, ...]).validate_json(as_json([RESULT]))
    assert read == dataclasses.replace(RESULT, report=Path())
    assert dataclasses.replace(read, report=RESULT.report) == RESULT


def test_result_is_an_entry_of_the_verdict_file(tmp_path: Path) -> None:
    """Programs read its figures under these names."""
    write_report(tmp_path, [RESULT, SKIPPED])
    written = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert [each["verdict"] for each in written] == ["FAIL", "SKIPPED"]
    assert set(written[0]) == {field.name for field in dataclasses.fields(DrillResult)} - {"report"}
    assert (written[0]["hits"], written[0]["findings"][0]["title"]) == (3, "an artifact was lost")


def test_report_of_a_skipped_drill_makes_its_own_folder(tmp_path: Path) -> None:
    """A drill makes its folder; where the only one was skipped, nothing has."""
    write_report(tmp_path / "reports" / "04", [SKIPPED])
    assert "Skipped: it needs a container" in (tmp_path / "reports" / "04" / "report.md").read_text(encoding="utf-8")


def test_result_does_not_change() -> None:
    """It is over."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        RESULT.verdict = Verdict.PASS  # type: ignore[misc]


def test_evidence_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    """A result without its evidence is whole; the history is read from where it lies."""
    result = dataclasses.replace(RESULT, report=tmp_path)
    assert result.evidence == tmp_path / "backend-down"
    with pytest.raises(FileNotFoundError):
        _ = result.history
    result.evidence.mkdir()
    entry = Entry.model_validate({"seq": 1, "at_s": 0.5, "event": {"kind": "trouble", "what": "none"}})
    (result.evidence / "history.jsonl").write_text(entry.model_dump_json() + "\n", encoding="utf-8")
    assert result.history == History((entry,))


def test_findings_of_one_check_are_told_with_the_path() -> None:
    """A test that expects a promise fails with that promise's findings, and says where to look."""
    assert RESULT.of("artifacts-once") == (FINDING,)
    assert RESULT.of("orders-once") == ()
    with pytest.raises(DrillFailed, match=r"FAIL backend-down\n\nartifacts-once: an artifact was lost(.|\n)*"):
        RESULT.expect("artifacts-once")
    with pytest.raises(DrillFailed, match=r"report  /reports/now/backend-down$"):
        RESULT.expect_pass()


def test_check_that_did_not_run_is_not_expected_in_vain() -> None:
    """Its absence of findings would say nothing."""
    with pytest.raises(DrillFailed, match="'bounded' should have been checked, and was not; what ran: artifacts-once"):
        RESULT.expect("bounded")


def test_unsound_drill_holds_no_expectation() -> None:
    """A check that found nothing there has proven nothing."""
    unsound = dataclasses.replace(RESULT, verdict=Verdict.INCONCLUSIVE, findings=(UNSOUND,))
    with pytest.raises(DrillFailed, match=r"INCONCLUSIVE backend-down\n\nfault-hit: the fault did not hit"):
        unsound.expect("orders-once")


def test_skipped_drill_holds_no_expectation() -> None:
    """Each way to ask it fails with why it was skipped."""
    for ask in (SKIPPED.expect_pass, SKIPPED.expect_sound, lambda: SKIPPED.expect("bounded"), lambda: SKIPPED.drilled):
        with pytest.raises(DrillFailed, match=r"SKIPPED cut\n\nit needs a container"):
            ask()


def test_verdict_of_none_is_pass_and_of_several_the_worst() -> None:
    """A loss outweighs all else."""
    passed = dataclasses.replace(RESULT, verdict=Verdict.PASS)
    assert verdict_of_all(()) is Verdict.PASS
    assert verdict_of_all((passed, SKIPPED)) is Verdict.PASS
    assert verdict_of_all((passed, RESULT, SKIPPED)) is Verdict.FAIL
