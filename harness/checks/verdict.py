"""From findings to a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.finding import Case, Finding, Verdict, Weight
from harness.checks.registry import PROOFS, checkable


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checks say.

    Args:
        verdict: the verdict.
        findings: everything that counts, the heaviest first.
        promises: how many promises were checked.
        kept: how many of them held.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    promises: int
    kept: int


_ORDER = (Weight.SAFETY, Weight.UNSOUND, Weight.LIVENESS)


def judge(case: Case, promises: Sequence[str]) -> Judgement:
    """Run the named promises, or all that can be checked where none is named, and every proof over a case."""
    known = checkable(case.adapters)
    by_promise = {name: list(known[name].judge(case)) for name in promises or known}
    proofs = [finding for check in PROOFS.values() for finding in check.judge(case)]
    everything = [*(finding for findings in by_promise.values() for finding in findings), *proofs]
    weights = {finding.weight for finding in everything}
    # Of an unsound experiment, what counts only in a sound one is not even told: it would read like blame.
    told = [each for each in everything if Weight.UNSOUND not in weights or each.weight is not Weight.LIVENESS]
    return Judgement(
        verdict=verdict_of(everything),
        findings=tuple(sorted(told, key=lambda finding: _ORDER.index(finding.weight))),
        promises=len(by_promise),
        kept=sum(not findings for findings in by_promise.values()),
    )


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """A loss fails the drill; an unsound experiment says nothing; then a system that did not recover fails it."""
    weights = {finding.weight for finding in findings}
    if Weight.SAFETY in weights:
        return Verdict.FAIL
    if Weight.UNSOUND in weights:
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL if Weight.LIVENESS in weights else Verdict.PASS
