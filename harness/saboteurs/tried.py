"""What came of one saboteur in one scenario, and where it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from harness.checks.finding import Finding, Verdict, Weight
from harness.errors import ReportNotWritten
from harness.saboteurs.declared import Declared
from harness.validated import Strict

_BLAMES = frozenset({Weight.SAFETY, Weight.LIVENESS})


class Outcome(StrEnum):
    """Whether a saboteur was caught, and why not."""

    CAUGHT = "caught"
    NOT_PLANTED = "not planted"
    NOT_ACTED = "not acted"
    INCONCLUSIVE = "inconclusive"
    ELSEWHERE = "found by another promise only"
    PASSED = "passed"
    FALSE_ALARM = "false alarm"

    @property
    def is_miss(self) -> bool:
        """Whether the drill was sound and the named promise found nothing."""
        return self in {Outcome.ELSEWHERE, Outcome.PASSED}


class Acted(Strict):
    """What a process told of its saboteur."""

    saboteur: str
    what: str
    about: str
    pid: int


class Tried(Strict):
    """One drill with a saboteur, or with none.

    Args:
        saboteur: its name; empty for a drill of the sound system.
        kind: its class.
        promise: the check that must find it.
        scenario: what was drilled.
        nth: which of several drills of the same, from 1.
        code: the state of the code that was drilled.
        outcome: whether it was caught; of a sound system, PASSED is as it should be.
        verdict: the drill's.
        acted_in: in how many processes the defect was at work.
        found: what the drill found, as `check: title`.
        took_s: with the switching, and all restarts.
        evidence: where to read on.
    """

    saboteur: str
    kind: str
    promise: str
    scenario: str
    nth: int = 1
    code: str
    outcome: Outcome
    verdict: Verdict
    acted_in: int = 0
    found: tuple[str, ...] = ()
    took_s: float
    evidence: str

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What it is known by, so that it need not be tried again."""
        return self.saboteur, self.scenario, self.nth, self.code


def acts_of(notes: str, saboteur: str) -> tuple[frozenset[str], int]:
    """Read in which modules a saboteur was planted, and in how many processes it was at work."""
    told = [Acted.model_validate_json(line) for line in notes.splitlines()]
    own = [each for each in told if each.saboteur == saboteur]
    planted = frozenset(each.about for each in own if each.what == "planted")
    return planted, len({each.pid for each in own if each.what == "acted"})


def outcome_of(declared: Declared, notes: str, verdict: Verdict, findings: Sequence[Finding]) -> Outcome:
    """Say whether a saboteur was caught.

    Only its named promise counts, with a finding that blames the system, and only in a drill in which it was at work.

    Args:
        declared: the saboteur.
        notes: what the processes told of it.
        verdict: the drill's.
        findings: the drill's.
    """
    planted, acted_in = acts_of(notes, declared.name)
    if not planted.issuperset(declared.targets):
        return Outcome.NOT_PLANTED
    if not acted_in:
        return Outcome.NOT_ACTED
    blames = [finding.check for finding in findings if finding.weight in _BLAMES]
    if verdict is Verdict.FAIL:
        return Outcome.CAUGHT if declared.promise in blames else Outcome.ELSEWHERE
    return Outcome.PASSED if verdict is Verdict.PASS else Outcome.INCONCLUSIVE


class TriedFile:
    """Everything that was tried, one line of JSON each, so that what was broken off can go on.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, tried: Tried) -> None:
        """Keep what came of a try.

        Raises:
            ReportNotWritten: it cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{tried.model_dump_json()}\n")
        except OSError as cause:
            raise ReportNotWritten(f"{self._path}: the result cannot be kept: {cause.strerror}") from cause

    def of_code(self, code: str) -> tuple[Tried, ...]:
        """Read what was tried with the code as it is now."""
        return tuple(each for each in self._all() if each.code == code)

    def _all(self) -> Iterator[Tried]:
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield Tried.model_validate_json(line)
            except ValidationError:
                # Cut short when it was broken off, or of another version: it is tried again.
                continue
