"""From what the checks found and what happened to the result of a drill."""

from __future__ import annotations

from pathlib import Path

from harness.checks.registry import PROOFS, checkable
from harness.checks.verdict import Judged, findings_in, held_in, promises_in, unchecked_in, verdict_of
from harness.history.history import History
from harness.report.figures import faults_of, healed_ms, hit_count, recovery_s
from harness.report.result import DrillResult
from harness.scenario.model import Scenario
from harness.stack.adapters import Adapters


def sum_up(
    scenario: Scenario,
    judged: Judged,
    history: History,
    adapters: Adapters,
    *,
    evidence: Path,
    seed: int,
    again: str,
    took_s: float,
) -> DrillResult:
    """The result of a drill that is over.

    Args:
        scenario: what was drilled.
        judged: what each check found.
        history: what happened.
        adapters: what of the stack can be asked, and so which promises there are.
        evidence: the directory of the drill, in that of its report.
        seed: the seed of everything random.
        again: the command that does it again.
        took_s: how long it took.
    """
    faulty = bool(scenario.faults)
    in_words = {**PROOFS, **checkable(adapters)}
    return DrillResult(
        scenario=scenario.name,
        about=scenario.about,
        faults=faults_of(scenario),
        verdict=verdict_of(judged),
        seed=seed,
        again=again,
        checks=tuple(judged),
        promised={name: check.holds_when for name, check in in_words.items() if name in judged},
        promises=len(promises_in(judged)),
        kept=len(held_in(judged)),
        unchecked=unchecked_in(judged, adapters),
        findings=findings_in(judged),
        hits=hit_count(history) if faulty else None,
        healed_ms=healed_ms(history) if faulty else None,
        recovery_s=recovery_s(history) if faulty else None,
        took_s=round(took_s, 3),
        folder=evidence.name,
        report=evidence.parent,
    )
