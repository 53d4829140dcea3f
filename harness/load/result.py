"""What the load came to: how many runs succeeded, whether that is enough, and how long they took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from harness.load.job import RunRecord
from harness.load.plan import LoadPlan
from harness.report.percentile import percentile

_P95 = 0.95


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A load, done.

    Args:
        plan: what was asked for.
        records: one for each run that was made.
        task_median_s: for each task, the median of its time in the runs that succeeded.
        unwritten: why its report is not there, in one line; empty when it is.
    """

    plan: LoadPlan
    records: tuple[RunRecord, ...]
    task_median_s: Mapping[str, float] = field(default_factory=dict)
    unwritten: str = ""

    @property
    def succeeded(self) -> int:
        """How many runs succeeded."""
        return sum(record.succeeded for record in self.records)

    @property
    def success_rate(self) -> float:
        """Their share of the runs that were asked for; one that was never made did not succeed."""
        return self.succeeded / self.plan.runs

    @property
    def met(self) -> bool:
        """Whether enough of them did."""
        return self.success_rate >= self.plan.success_threshold

    @property
    def median_s(self) -> float | None:
        """The median time of the runs that succeeded; None when none did."""
        return median(self._times_s) if self._times_s else None

    @property
    def p95_s(self) -> float | None:
        """Their 95th percentile."""
        return percentile(self._times_s, _P95) if self._times_s else None

    @property
    def longest_s(self) -> float | None:
        """The longest of them."""
        return max(self._times_s, default=None)

    @property
    def _times_s(self) -> list[float]:
        return [record.took_s for record in self.records if record.succeeded]
