"""Results of drills, with the evidence in files, as a real drill leaves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from harness.checks.case import Case
from harness.checks.registry import checkable
from harness.checks.verdict import judge
from harness.drill.summing_up import sum_up
from harness.gherkin.phrases import injection
from harness.history.reads import FinalReads
from harness.report.result import DrillResult
from harness.scenario.model import Scenario
from tests.checks.conftest import but, but_events, sound

__all__ = ["but", "but_events", "sound"]
ResultOf = Callable[..., DrillResult]


@pytest.fixture
def result_of(tmp_path: Path) -> ResultOf:
    """Judge a case and give the result, as if it had been drilled."""

    def make(case: Case, promises: Sequence[str] | None = None) -> DrillResult:
        promises = tuple(checkable(case.adapters)) if promises is None else promises
        faults = [injection("workflow -> backend", "is refused", "for 15 s", "") for _ in case.faults]
        scenario = Scenario(name="drilled", about="", faults=faults)
        folder = tmp_path / scenario.name
        folder.mkdir()
        (folder / "reads.json").write_bytes(TypeAdapter(FinalReads).dump_json(case.reads))
        lines = [entry.model_dump_json() + "\n" for entry in case.history.entries]
        (folder / "history.jsonl").write_text("".join(lines), encoding="utf-8")
        judged = judge(case, promises)
        return sum_up(
            scenario,
            judged,
            case.history,
            case.adapters,
            evidence=folder,
            seed=1,
            again="harness drill drilled",
            took_s=1.0,
        )

    return make
