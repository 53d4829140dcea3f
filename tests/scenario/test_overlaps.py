"""Two faults that would be on together on one link are refused when the file is read; all others are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario.loading import check_against
from harness.scenario.model import Scenario
from harness.stack.stack import Stack, load_stack

COMPOSE = """\
services: {web: {}, api: {}, db: {}}
x-harness:
  links: [web -> api:8000, api -> db:5432]
  adapters: {airflow: {url: "http://api:8000", username: a, password: b, dag: d, tasks_run_in: web}}
"""
LATE = {"link": "web -> api", "is": {"latency": {"delay_ms": 500}}}
SILENT = {"link": "web -> api", "is": "blackhole"}
KILLED = {"service": "api", "is": "kill"}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Three services in a row."""
    (tmp_path / "compose.yml").write_text(COMPOSE)
    return load_stack(tmp_path / "compose.yml", {})


def check(stack: Stack, *faults: Mapping[str, object]) -> None:
    """Read a scenario with these faults."""
    check_against(Scenario.model_validate({"name": "two", "about": "", "faults": list(faults)}), stack)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**LATE, "from": {"at_s": 1}, "for_s": 5}, {**SILENT, "from": {"at_s": 3}, "for_s": 6}),
        ({**SILENT, "from": {"at_s": 3}, "for_s": 6}, {**LATE, "from": {"at_s": 1}, "for_s": 5}),
        ({**LATE, "until": "run-ended"}, {**SILENT, "from": {"task": "chart"}, "for_s": 1}),
        ({**LATE, "from": {"task": "chart"}, "for_s": 1}, {**SILENT, "from": {"task": "chart"}, "for_s": 1}),
        ({**LATE, "for_s": 5}, {**SILENT, "for_s": 5}),
        ({**LATE, "from": {"at_s": 1}, "for_s": 5}, {**KILLED, "from": {"at_s": 3}, "for_s": 1}),
        (
            {**KILLED, "from": {"at_s": 1}, "for_s": 5},
            {"service": "api", "is": "pause", "from": {"at_s": 3}, "for_s": 1},
        ),
    ],
    ids=["times", "times reversed", "the whole run", "one trigger", "before the run", "link and server", "one service"],
)
def test_faults_that_meet_on_one_link_are_refused(
    stack: Stack, one: Mapping[str, object], other: Mapping[str, object]
) -> None:
    """The error names the later one, the earlier one, and what they meet on."""
    with pytest.raises(ScenarioError, match=r"two: faults\.1: would be on together with faults\.0 on .*: let one end"):
        check(stack, one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**LATE, "from": {"at_s": 1}, "for_s": 2}, {**SILENT, "from": {"at_s": 3}, "for_s": 6}),
        (
            {**LATE, "from": {"at_s": 1}, "for_s": 5},
            {"link": "api -> db", "is": "reset", "from": {"at_s": 1}, "for_s": 5},
        ),
        ({**LATE, "from": {"task": "chart"}, "for_s": 1}, {**SILENT, "from": {"task": "order"}, "for_s": 1}),
        ({**LATE, "from": {"at_s": 1}, "for_s": 5}, {"service": "db", "is": "kill", "from": {"at_s": 1}, "for_s": 5}),
        ({**LATE, "for_s": 5}, {**SILENT, "from": {"task": "chart"}, "for_s": 1}),
        ({"service": "api", "is": "restart"}, {**LATE, "from": {"at_s": 1}, "for_s": 5}),
    ],
    ids=[
        "one after the other",
        "two links",
        "times that are not known",
        "link and another server",
        "one may be over",
        "over by itself",
    ],
)
def test_faults_that_do_not_meet_are_accepted(
    stack: Stack, one: Mapping[str, object], other: Mapping[str, object]
) -> None:
    """One after the other, or on different links."""
    check(stack, one, other)
