"""What a measurement gives: rows of samples, each with the aim that it should hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from harness.report.percentile import percentile

Statistic = Literal["median", "p99", "max"]
Unit = Literal["s", "ms", "×", "/s", "%", "MB"]

STATISTICS: Mapping[Statistic, Callable[[tuple[float, ...]], float]] = {
    "median": median,
    "p99": lambda samples: percentile(samples, 0.99),
    "max": max,
}


@dataclass(frozen=True, slots=True)
class Aim:
    """What a row should hold.

    Args:
        statistic: which figure of the samples counts.
        limit: what it should not exceed, in the row's unit.
        at_least: whether it should not fall below the limit instead.
    """

    statistic: Statistic
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.statistic} {'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured several times.

    Args:
        what: what it is, for a person.
        samples: at least one.
        unit: their unit.
        aim: what they should hold, if anything.
    """

    what: str
    samples: tuple[float, ...]
    unit: Unit
    aim: Aim | None = None

    def figure(self, statistic: Statistic) -> float:
        """One figure of the samples."""
        return STATISTICS[statistic](self.samples)

    @property
    def held(self) -> bool | None:
        """Whether the aim is held; None without one."""
        if self.aim is None:
            return None
        figure = self.figure(self.aim.statistic)
        return figure >= self.aim.limit if self.aim.at_least else figure <= self.aim.limit
