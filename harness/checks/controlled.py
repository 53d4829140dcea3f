"""Nothing went wrong but what the scenario planned: the harness's own parts and the stack's services stayed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.ends import Cause, ends_of_services
from harness.checks.finding import Finding, Weight
from harness.history.events import ProxyReplaced, Trouble
from harness.history.measurements import EvidenceMissing, HarnessStalled

NAME = "controlled"


def controlled(case: Case) -> Sequence[Finding]:
    """Find what went wrong with the experiment itself."""
    return [*_proxies(case), *_services(case), *_trouble(case), *_missing(case)]


def _proxies(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(ProxyReplaced):
        if not event.expected:
            yield _finding(
                "a proxy was lost in mid-drill",
                f"the Toxiproxy of {event.link} stays up",
                event.reason,
                case.history.lines(entry, entry),
            )


def _services(case: Case) -> Iterator[Finding]:
    for end in ends_of_services(case):
        if end.cause is Cause.NONE:
            see = f"{case.history.lines(end.entry, end.entry)} · logs/{end.service}.log"
            yield _finding("a service ended by itself", f"{end.service} stays up", end.told, see)


def _trouble(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(Trouble):
        yield _finding(
            "the harness could not do its work",
            "the drill runs to its end",
            event.what,
            case.history.lines(entry, entry),
        )
    for entry, stall in case.history.of(HarnessStalled):
        yield _finding(
            "the harness itself stood still",
            "the harness watches the system without a gap; what is judged by time rests on that",
            f"it stood still for {stall.took_s:.1f} s until +{entry.at_s:.1f} s",
            case.history.lines(entry, entry),
        )


def _missing(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(EvidenceMissing):
        yield Finding(
            check=NAME,
            weight=Weight.UNPROVEN,
            title="evidence is missing",
            expected="what the verdict rests on is there to the end",
            found=event.what,
            see=case.history.lines(entry, entry),
        )


def _finding(title: str, expected: str, found: str, see: str) -> Finding:
    return Finding(check=NAME, weight=Weight.UNSOUND, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=controlled,
    holds_when="nothing went wrong but what was planned: the harness's parts and the stack's services stayed up, and"
    " the harness did not stand still",
    witness="the runtime, the harness",
    blind_to="what goes wrong outside the stack and is noticed by neither",
)
