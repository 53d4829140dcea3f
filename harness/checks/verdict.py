"""From a case to findings, and from findings to a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.checks.finding import Case, Finding, Verdict, Weight
from harness.checks.registry import PROOFS, checkable

Judged = Mapping[str, tuple[Finding, ...]]
"""What each check that ran has found, by the check's name; of a check that is not in it, nothing is known."""

_HEAVIEST_FIRST = (Weight.SAFETY, Weight.UNSOUND, Weight.LIVENESS)
_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.SKIPPED)


def judge(case: Case, promises: Sequence[str]) -> Judged:
    """Run the named promises, or all that can be checked where none is named, and every proof over a case."""
    known = checkable(case.adapters)
    judged = {name: tuple(known[name].judge(case)) for name in promises or known}
    for name, proof in PROOFS.items():
        judged[name] = (*judged.get(name, ()), *proof.judge(case))
    return judged


def promises_in(judged: Judged) -> tuple[str, ...]:
    """The promises that were checked, without the proofs, which always are."""
    return tuple(name for name in judged if name not in PROOFS)


def held_in(judged: Judged) -> tuple[str, ...]:
    """The promises that were checked and held."""
    return tuple(name for name in promises_in(judged) if not judged[name])


def findings_in(judged: Judged) -> tuple[Finding, ...]:
    """Everything that counts, the heaviest first.

    Of an unsound experiment, what counts only in a sound one is left out: it would read like blame.
    """
    everything = [finding for findings in judged.values() for finding in findings]
    unsound = any(finding.weight is Weight.UNSOUND for finding in everything)
    told = [finding for finding in everything if not unsound or finding.weight is not Weight.LIVENESS]
    return tuple(sorted(told, key=lambda finding: _HEAVIEST_FIRST.index(finding.weight)))


def verdict_of(judged: Judged) -> Verdict:
    """A loss fails the drill; an unsound experiment says nothing; then a system that did not recover fails it."""
    weights = {finding.weight for findings in judged.values() for finding in findings}
    if Weight.SAFETY in weights:
        return Verdict.FAIL
    if Weight.UNSOUND in weights:
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL if Weight.LIVENESS in weights else Verdict.PASS


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several drills together: a loss outweighs what could not be told; a skip says nothing."""
    given = frozenset(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in given), Verdict.PASS)
