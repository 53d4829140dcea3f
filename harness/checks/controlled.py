"""Nothing went wrong but what the scenario planned: the harness's own parts and the stack's services stayed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.checks.check import Check
from harness.checks.finding import Case, Finding, Weight
from harness.errors import NO_ROOM
from harness.history.events import FaultHealed, FaultOn, ProxyReplaced, ServiceEnded, Trouble

NAME = "controlled"


def controlled(case: Case) -> Sequence[Finding]:
    """Find what went wrong with the experiment itself."""
    return [*_proxies(case), *_services(case), *_trouble(case)]


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
    for entry, event in case.history.of(ServiceEnded):
        if _was_under_fault(case, event.service, entry.at_s):
            continue  # what a limit did to it is the fault itself
        why = ", with no space left on its disk" if NO_ROOM in event.last_output else ""
        found = f"it ended with exit code {event.returncode}{why}"
        yield _finding(
            "a service ended by itself",
            f"{event.service} stays up",
            found,
            f"{case.history.lines(entry, entry)} · logs/{event.service}.log",
        )


def _was_under_fault(case: Case, service: str, at_s: float) -> bool:
    healed = {event.fault: entry.at_s for entry, event in case.history.of(FaultHealed)}
    return any(
        event.target == service and entry.at_s - event.took_s <= at_s <= healed.get(event.fault, at_s)
        for entry, event in case.history.of(FaultOn)
    )


def _trouble(case: Case) -> Iterator[Finding]:
    for entry, event in case.history.of(Trouble):
        yield _finding(
            "the harness could not do its work",
            "the drill runs to its end",
            event.what,
            case.history.lines(entry, entry),
        )


def _finding(title: str, expected: str, found: str, see: str) -> Finding:
    return Finding(check=NAME, weight=Weight.UNSOUND, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=controlled,
    holds_when="nothing went wrong but what was planned: the harness's parts and the stack's services stayed up",
    witness="the runtime, the harness",
)
