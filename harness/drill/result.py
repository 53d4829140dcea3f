"""What a drill comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.checks.verdict import Judgement
from harness.history.history import History
from harness.history.reads import FinalReads
from harness.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class DrillResult:
    """One drill, over and judged.

    Args:
        scenario: what was drilled.
        seed: the seed of everything random.
        judgement: verdict, findings and how many promises held.
        history: what happened.
        reads: what the witnesses said at the end.
        directory: where history, reads and logs are.
        took_s: how long it took, without the stack's start.
    """

    scenario: Scenario
    seed: int
    judgement: Judgement
    history: History
    reads: FinalReads
    directory: Path
    took_s: float
