"""The few figures of a drill that every report shows."""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks.finding import Finding, Verdict
from harness.history.events import FaultHealed, FaultHit, Recovered, Witness
from harness.history.history import History
from harness.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of the result.

    Args:
        scenario: its name.
        about: what it is, in a sentence.
        faults: what went wrong, one text a fault.
        bit: how often the system met them; None without faults.
        healed_ms: the longest time from the order to lift until a link probe went through; None without faults.
        recovery_s: from the last heal until the system was back to normal; None when it was not, or without faults.
        promises: how many were checked.
        kept: how many held.
        verdict: the verdict.
        findings: everything that was found.
        seed: the seed.
        took_s: how long the drill took.
        folder: where the evidence is, relative to the report.
        again: the command that does it again.
        skipped: why it was not drilled at all; None when it was.
    """

    scenario: str
    about: str
    faults: tuple[str, ...]
    bit: int | None
    healed_ms: float | None
    recovery_s: float | None
    promises: int
    kept: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    seed: int
    took_s: float
    folder: str
    again: str
    skipped: str | None = None


def hit_count(history: History) -> int:
    """How often the system met the faults: for each the larger of what its proxy and its own log tell, not the sum."""
    counts: dict[str, int] = {}
    for _, event in history.of(FaultHit):
        if event.witness is not Witness.LINK_PROBE:
            counts[event.fault] = max(counts.get(event.fault, 0), event.count)
    return sum(counts.values())


def healed_ms(history: History) -> float | None:
    """The longest time that a heal took."""
    return max((event.took_s * 1000 for _, event in history.of(FaultHealed)), default=None)


def recovery_s(history: History) -> float | None:
    """How long the system took to be back to normal."""
    return next((event.took_s for _, event in history.of(Recovered)), None)


def faults_of(scenario: Scenario) -> tuple[str, ...]:
    """What goes wrong, one text a fault."""
    return tuple(f"{injection.target.replace('->', '→')} {injection.fault.about}" for injection in scenario.faults)
