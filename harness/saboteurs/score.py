"""From what was tried to a score: caught of planted, by class, and who was missed and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.finding import Verdict
from harness.errors import HarnessError
from harness.saboteurs.bound import lower_bound, upper_bound
from harness.saboteurs.tried import Outcome, Tried

_WORST_LAST = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Judged:
    """A saboteur, over all the scenarios that should see it.

    Args:
        tries: one a scenario.
    """

    name: str
    kind: str
    promise: str
    tries: tuple[Tried, ...]

    @property
    def outcome(self) -> Outcome:
        """Caught when each scenario caught it; else the worst of what happened."""
        return max((each.outcome for each in self.tries), key=_WORST_LAST.index)

    def why(self) -> str:
        """Why it counts as missed: what happened in the scenarios in which it was not caught."""
        not_caught = [each for each in self.tries if each.outcome is not Outcome.CAUGHT]
        return "; ".join(f"{each.scenario}: {each.outcome}{_shown(each)}" for each in not_caught)


@dataclass(frozen=True, slots=True)
class Row:
    """A class of saboteurs, or all of them.

    Args:
        kind: the class.
        promise: the check that must find those of the class; of all together, none.
    """

    kind: str
    promise: str
    caught: int
    planted: int

    @property
    def bound(self) -> float:
        """The share of such defects that would be caught at least, with 95 % confidence."""
        return lower_bound(self.caught, self.planted)


@dataclass(frozen=True, slots=True)
class Score:
    """What a matrix came to.

    Args:
        judged: every saboteur that was tried.
        sound: the drills without one.
    """

    judged: tuple[Judged, ...]
    sound: tuple[Tried, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row a class, in the order in which they were declared, and one for all."""
        kinds = dict.fromkeys(each.kind for each in self.judged)
        return (*(self._row(kind) for kind in kinds), _row_of("all", "", self.judged))

    @property
    def missed(self) -> tuple[Judged, ...]:
        """Every saboteur that was not caught, for any reason."""
        return tuple(each for each in self.judged if each.outcome is not Outcome.CAUGHT)

    @property
    def false_alarms(self) -> int:
        """How many drills without a saboteur failed."""
        return sum(each.outcome is Outcome.FALSE_ALARM for each in self.sound)

    @property
    def false_alarms_bound(self) -> float:
        """The share of sound drills that would fail at most, with 95 % confidence."""
        return upper_bound(self.false_alarms, len(self.sound))

    @property
    def exit_code(self) -> int:
        """0 when all were caught and nothing was alarmed about, 1 when one was missed, 3 when it could not be told."""
        if self.false_alarms or any(each.outcome.is_miss for each in self.judged):
            return Verdict.FAIL.exit_code
        untold = self.missed or any(each.outcome is Outcome.INCONCLUSIVE for each in self.sound)
        return HarnessError.exit_code if untold else Verdict.PASS.exit_code

    def _row(self, kind: str) -> Row:
        judged = [each for each in self.judged if each.kind == kind]
        return _row_of(kind, ", ".join(dict.fromkeys(each.promise for each in judged)), judged)


def score_of(tried: Sequence[Tried]) -> Score:
    """Count what was tried."""
    by_name: dict[str, list[Tried]] = {}
    for each in tried:
        by_name.setdefault(each.saboteur, []).append(each)
    sound = tuple(by_name.pop("", ()))
    judged = (Judged(name, of[0].kind, of[0].promise, tuple(of)) for name, of in by_name.items())
    return Score(tuple(judged), sound)


def _row_of(kind: str, promise: str, judged: Sequence[Judged]) -> Row:
    return Row(kind, promise, sum(each.outcome is Outcome.CAUGHT for each in judged), len(judged))


def _shown(tried: Tried) -> str:
    return f" ({'; '.join(dict.fromkeys(tried.found))})" if tried.found else ""
