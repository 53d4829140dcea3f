"""Attempts and open connections over each link, held against those of the steady run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.checks.case import Case
from harness.checks.finding import Finding, PlannedFault, Weight
from harness.history.events import FaultHealed, FaultHit, FaultOn, Witness
from harness.history.measurements import LinkUsed
from harness.history.roles import RunRole

# A client that retries with a pause stays far below; one without makes hundreds a second.
_ATTEMPTS_A_SECOND = 10.0
_TIMES_STEADY = 10.0
_FEWEST = 100
_OPEN_AT_LEAST = 20


def storms(case: Case, check: str) -> Iterator[Finding]:
    """Find links over which the drilled run made attempts without a pause, or opened connections without end."""
    used = {(event.link, event.role): event for _, event in case.history.of(LinkUsed)}
    steady = {link: event for (link, role), event in used.items() if role is RunRole.STEADY}
    told: set[str] = set()
    for fault in case.faults:
        for finding in _under(case, check, fault, steady):
            told.add(fault.target)
            yield finding
    for (link, role), event in used.items():
        usual = steady.get(link)
        if role is RunRole.STEADY or usual is None or link in told:
            continue
        if _is_storm(event.connections, event.took_s, usual):
            expected = f"about as many connections over {link} as in the steady run: {_rate(usual)}"
            yield _finding(check, "a storm of connections", expected, f"{_rate(event)} in run {event.run}")
        if event.open_connections > _TIMES_STEADY * usual.open_connections + _OPEN_AT_LEAST:
            expected = f"about as many open connections over {link} as after the steady run: {usual.open_connections}"
            found = f"{event.open_connections} open after run {event.run}"
            yield _finding(check, "connections are opened without end", expected, found)


def _under(case: Case, check: str, fault: PlannedFault, steady: Mapping[str, LinkUsed]) -> Iterator[Finding]:
    """A storm under a fault: what it hit of the system's traffic, in the time for which it was on."""
    on = next((entry.at_s for entry, event in case.history.of(FaultOn) if event.fault == fault.id), None)
    healed = next((entry.at_s for entry, event in case.history.of(FaultHealed) if event.fault == fault.id), None)
    if on is None or healed is None:
        return
    told = [event for _, event in case.history.of(FaultHit) if event.fault == fault.id]
    # Of the kernel's figures only some are attempts: others are packets, or slices of time.
    counted = (event.count for event in told if event.are_attempts or event.witness in (Witness.PROXY, Witness.SYSTEM))
    hits = max(counted, default=0)
    if _is_storm(hits, healed - on, steady.get(fault.target)):
        yield _finding(
            check,
            "a storm of attempts under a fault",
            f"attempts over {fault.target} while it is {fault.about} come with a pause between them",
            f"{hits} in {healed - on:.1f} s",
        )


def _is_storm(attempts: int, took_s: float, usual: LinkUsed | None) -> bool:
    usual_a_second = usual.connections / usual.took_s if usual is not None and usual.took_s else 0.0
    return attempts > _FEWEST and attempts / max(took_s, 1.0) > max(_ATTEMPTS_A_SECOND, _TIMES_STEADY * usual_a_second)


def _rate(used: LinkUsed) -> str:
    return f"{used.connections} in {used.took_s:.1f} s"


def _finding(check: str, title: str, expected: str, found: str) -> Finding:
    return Finding(
        check=check, weight=Weight.LIVENESS, title=title, expected=expected, found=found, see="history.jsonl: link_used"
    )
