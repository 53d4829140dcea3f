"""A scenario that the runtime cannot do is skipped: neither passed nor failed, and shown."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.console import Console

from harness.checks.finding import Verdict
from harness.drill.series import drill_all, skip_all
from harness.drill.skipping import skipped, why_skipped
from harness.report.files import junit, markdown, row
from harness.report.result import DrillResult, verdict_of_all
from harness.report.terminal import TerminalProgress
from harness.runtime.local.stack import LocalStack
from harness.runtime.running import RuntimeName
from harness.scenario.model import Scenario
from harness.stack.stack import load_stack

PROJECT = Path(__file__).parents[2]
SCENARIO = Scenario.model_validate(
    {"name": "cut-off", "about": "Cut off.", "faults": [{"service": "server", "is": "partition", "for_s": 5}]}
)
STACK = Path("docker-compose.test.yml")
REASON = "the local runtime cannot do partition: drill with --runtime docker"


def test_skip_names_the_fault_and_the_runtime() -> None:
    """The reason is one line that says what to do, and there is none where the runtime can do it."""
    assert why_skipped(SCENARIO, RuntimeName.LOCAL) == REASON
    assert why_skipped(SCENARIO, RuntimeName.DOCKER) is None


def test_skip_is_shown_everywhere_and_counts_nowhere() -> None:
    """Table, Markdown and JUnit show it with its reason, as neither failure nor error."""
    result = skip()
    assert row(result)[-2:] == ("not judged", "SKIPPED")
    assert f"Skipped: {REASON}" in markdown([result])
    suite = junit([result])
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "1")
    assert ET.tostring(suite).count(b"<skipped message=") == 1


@pytest.mark.parametrize(
    ("others", "verdict", "exit_code"),
    [
        ((), Verdict.SKIPPED, 3),
        ((Verdict.PASS,), Verdict.PASS, 0),
        ((Verdict.PASS, Verdict.FAIL), Verdict.FAIL, 1),
        ((Verdict.PASS, Verdict.INCONCLUSIVE), Verdict.INCONCLUSIVE, 3),
    ],
)
def test_skip_changes_no_verdict(others: tuple[Verdict, ...], verdict: Verdict, exit_code: int) -> None:
    """What was drilled decides; when nothing could be, that is said by the exit code."""
    all_of_them = [skip(), *(_with(verdict) for verdict in others)]
    assert verdict_of_all(all_of_them) is verdict
    assert verdict_of_all(all_of_them).exit_code == exit_code


def test_skip_of_everything_starts_nothing(tmp_path: Path) -> None:
    """When nothing can be drilled, that is known before a stack is started; else it is left to the stack."""
    stack = load_stack(PROJECT / STACK, {})
    progress = TerminalProgress(Console(quiet=True))
    results = skip_all(stack, [SCENARIO], RuntimeName.LOCAL, seed=1, directory=tmp_path, progress=progress)
    assert [each.verdict for each in results] == [Verdict.SKIPPED]
    healthy = Scenario(name="healthy", about="Nothing goes wrong.")
    both = [SCENARIO, healthy]
    assert skip_all(stack, both, RuntimeName.LOCAL, seed=1, directory=tmp_path, progress=progress) == ()


@pytest.mark.anyio
async def test_skip_touches_nothing(local_stack: LocalStack, tmp_path: Path) -> None:
    """A stack that cannot do it is left alone, and the report holds the skip."""
    assert local_stack.runtime is RuntimeName.LOCAL
    directory = tmp_path / "report"
    directory.mkdir()
    progress = TerminalProgress(Console(quiet=True))
    results = await drill_all(local_stack, [SCENARIO], seed=1, directory=directory, progress=progress)
    assert [(each.verdict, each.skipped) for each in results] == [(Verdict.SKIPPED, REASON)]
    assert sorted(path.name for path in directory.iterdir()) == ["junit.xml", "report.md", "verdict.json"]


def skip() -> DrillResult:
    """The scenario, skipped."""
    return skipped(SCENARIO, REASON, seed=1, stack=STACK, report=Path())


def _with(verdict: Verdict) -> DrillResult:
    return dataclasses.replace(skip(), verdict=verdict, skipped=None)
