"""Saboteurs: defects planted on purpose, to prove that a drill sees each of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

HOOK = Path(__file__).parents[2] / "fixtures" / "saboteurs" / "hook"
Start = Callable[..., "subprocess.Popen[str]"]


class Drilled(Protocol):
    """What the drill came to, see conftest.py."""

    exit_code: int
    said: str
    report: Path
    verdicts: dict[str, str]
    titles: list[str]


Finish = Callable[["subprocess.Popen[str]"], Drilled]


@pytest.mark.parametrize(
    ("saboteur", "scenario", "loss"),
    [
        ("client_without_spool", "backend-down", "an artifact was lost"),
        ("client_without_idempotency_key", "backend-answer-lost", "an artifact was stored twice"),
        ("order_retried_without_looking", "gateway-lost", "an order was sent twice"),
    ],
)
def test_saboteur_in_the_system_is_found(
    start_drill: Start, finish: Finish, saboteur: str, scenario: str, loss: str
) -> None:
    """A defect in the system makes its drill FAIL, and a finding names what was lost."""
    drilled = finish(start_drill(scenario, "--saboteur", saboteur))
    assert (drilled.exit_code, drilled.verdicts) == (1, {scenario: "FAIL"}), drilled.said
    assert drilled.titles[0] == loss, drilled.said
    assert planted(drilled, saboteur), "the saboteur was not planted, so nothing was proven"


def test_saboteur_in_the_harness_is_inconclusive(start_drill: Start, finish: Finish) -> None:
    """A fault that the harness says is on, and is not, makes the drill INCONCLUSIVE."""
    drilled = finish(start_drill("backend-down", PYTHONPATH=str(HOOK), SABOTEUR="fault_not_applied"))
    assert (drilled.exit_code, drilled.verdicts) == (3, {"backend-down": "INCONCLUSIVE"}), drilled.said
    assert any("did not hit: it was switched on but not in effect" in title for title in drilled.titles), drilled.said


def planted(drilled: Drilled, saboteur: str) -> bool:
    """Whether a log of the stack says that the saboteur is in."""
    logs = drilled.report.glob("*/logs/**/*.log")
    return any(f"saboteur planted: {saboteur}" in log.read_text(errors="replace") for log in logs)
