"""The few figures of a drill that every report shows, out of its history."""

from __future__ import annotations

from harness.history.events import FaultHealed, FaultHit, Recovered, Witness
from harness.history.history import History
from harness.scenario.model import Scenario


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
