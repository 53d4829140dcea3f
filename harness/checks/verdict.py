"""From a case to findings, and from findings to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Verdict, Weight
from harness.checks.registry import PROOFS, checkable, known_promises
from harness.stack.adapters import Adapters

Judged = Mapping[str, tuple[Finding, ...]]
"""What each check that ran has found, by the check's name; of a check that is not in it, nothing is known."""

_HEAVIEST_FIRST = (Weight.SAFETY, Weight.UNSOUND, Weight.LIVENESS, Weight.UNPROVEN, Weight.WATCHED)
_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.WATCHED_ONLY, Verdict.PASS, Verdict.SKIPPED)
_MOST_OF_A_KIND = 20


def _told(check: str, cause: Exception) -> str:
    return f"{check} failed itself: {type(cause).__name__}: {cause}"


def judge(case: Case, promises: Sequence[str], on_failure: Callable[[str, Exception], str] = _told) -> Judged:
    """Run the named promises, or all that can be checked where none is named, and every proof over a case.

    Of a promise one of whose witnesses could not be read, what the others saw still counts; so does what the other
    checks find when one of them, which may come from another package, fails itself.

    Args:
        case: what is judged.
        promises: their names.
        on_failure: is told of a check that failed itself, by its name, and says so in a line.
    """
    known = checkable(case.adapters)
    asked = {name: known[name] for name in promises or known}
    work_is_judged = any(check.of_work for check in asked.values())
    case = replace(case, relied_on=_relied_on(asked), work_is_judged=work_is_judged)

    def found(check: Check) -> tuple[Finding, ...]:
        try:
            return _few((*check.judge(case), *_unread(case, check)))
        except Exception as cause:  # noqa: BLE001 - it takes none of what the others find along
            return (_failed(check, on_failure(check.name, cause)),)

    return {name: found(check) for name, check in {**asked, **PROOFS}.items()}


def _failed(check: Check, told: str) -> Finding:
    return Finding(
        check=check.name,
        weight=Weight.UNPROVEN,
        title="it could not be judged",
        expected=f"{check.name} gives its findings",
        found=told,
    )


def _unread(case: Case, check: Check) -> Sequence[Finding]:
    return [
        Finding(
            check=check.name,
            weight=Weight.UNPROVEN,
            title="it could not be judged",
            expected=f"what {check.name} rests on can be read: {witness}",
            found=case.reads.unread[witness],
            see="history.jsonl",
        )
        for witness in check.needs
        if witness in case.reads.unread
    ]


def _relied_on(asked: Mapping[str, Check]) -> Mapping[str, Sequence[str]]:
    relied_on: dict[str, list[str]] = {}
    for name, check in asked.items():
        for witness in check.needs:
            relied_on.setdefault(witness, []).append(name)
    return relied_on


def _few(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The first of each kind; a hundred thousand losses are told by their number."""
    kinds: dict[tuple[str, Weight], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.title, finding.weight), []).append(finding)
    told: list[Finding] = []
    for same in kinds.values():
        told += same[:_MOST_OF_A_KIND]
        if (left := len(same) - _MOST_OF_A_KIND) > 0:
            told.append(replace(same[-1], found=f"{left} more like it, the last: {same[-1].found}"))
    return tuple(told)


def promises_in(judged: Judged) -> tuple[str, ...]:
    """The promises that were checked, without the proofs, which always are."""
    return tuple(name for name in judged if name not in PROOFS)


def unchecked_in(judged: Judged, adapters: Adapters) -> tuple[str, ...]:
    """The promises of which nothing is known: the stack's file names nothing to ask, or the scenario left them out."""
    return tuple(name for name in (*known_promises(), *adapters.probes) if name not in judged)


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
    """A loss fails the drill; so does a system that did not recover, unless the experiment was unsound.

    What was not seen is never a pass: neither what is unproven, nor what was only watched.
    """
    weights = {finding.weight for findings in judged.values() for finding in findings}
    if Weight.SAFETY in weights or (Weight.LIVENESS in weights and Weight.UNSOUND not in weights):
        return Verdict.FAIL
    if weights - {Weight.WATCHED}:
        return Verdict.INCONCLUSIVE
    return Verdict.WATCHED_ONLY if weights else Verdict.PASS


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several drills together: a loss outweighs what could not be told; a skip says nothing."""
    given = frozenset(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in given), Verdict.PASS)
