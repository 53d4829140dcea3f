"""What an endpoint does without the fault: nothing that it does anyway proves a fault, and only that proves a heal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.history.events import ProbeOutcome
from harness.runtime.toxiproxy.link_probe import ProbeResult


@dataclass(frozen=True, slots=True)
class Usual:
    """What probes came to before the fault.

    Args:
        outcome: what the last of them came to.
        fastest_s: how long the fastest took.
        slowest_s: how long they took at most, without the slowest: on a busy machine one may be late by itself.
    """

    outcome: ProbeOutcome
    fastest_s: float
    slowest_s: float

    @classmethod
    def of(cls, results: Sequence[ProbeResult]) -> Usual:
        """Sum up probes of one endpoint, one after the other."""
        took_s = sorted(result.elapsed_s for result in results)
        return cls(results[-1].outcome, took_s[0], took_s[-2] if len(took_s) > 1 else took_s[0])

    def is_late(self, elapsed_s: float, by_s: float) -> bool:
        """Whether an answer is late by so much: it took that time, and clearly more than any answer did before."""
        return elapsed_s >= max(by_s, self.fastest_s + by_s / 2) and elapsed_s > self.slowest_s

    def is_as_soon(self, elapsed_s: float, by_s: float) -> bool:
        """Whether an answer cannot have been late by so much."""
        return elapsed_s < max(by_s, self.fastest_s + by_s / 2)

    def is_back(self, result: ProbeResult) -> bool:
        """Whether a probe came to what it came to before."""
        return result.connected and result.outcome is self.outcome
