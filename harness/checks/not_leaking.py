"""After recovery the system holds about as much as in its steady state: connections, threads, handles, memory, disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.checks.case import Case
from harness.checks.check import Check
from harness.checks.finding import Finding, Weight
from harness.history.measurements import LinkUsed, ResourcesMeasured
from harness.history.roles import RunRole

NAME = "not-leaking"
_MIB = 1024 * 1024
# How much more there may be: so much, or this share of what there was, whichever is more. Pools grow to their size,
# caches fill, and a garbage collector takes its time.
_MORE: Mapping[str, tuple[str, int, float]] = {
    "threads": ("threads", 8, 0.5),
    "file_handles": ("file handles", 16, 0.5),
    "connections": ("connections", 5, 0.5),
    "memory_bytes": ("bytes of memory", 40 * _MIB, 0.25),
    "disk_bytes": ("bytes on disk", 8 * _MIB, 0.5),
}


def not_leaking(case: Case) -> Sequence[Finding]:
    """Hold what was measured after recovery against the steady state."""
    if case.drilled is None:
        return []  # the drill ended before anything could be left over, which another check tells
    measured = {(event.service, event.when): event for _, event in case.history.of(ResourcesMeasured)}
    if not any(when == "recovered" and (service, "steady") in measured for service, when in measured):
        return [_unproven()]
    findings: list[Finding] = []
    for (service, when), after in measured.items():
        before = measured.get((service, "steady"))
        if when == "recovered" and before is not None:
            findings += _grown(service, before, after)
    return [*findings, *_left_open(case)]


def _grown(service: str, before: ResourcesMeasured, after: ResourcesMeasured) -> Iterator[Finding]:
    for field, (what, at_least, share) in _MORE.items():
        had, has = getattr(before, field), getattr(after, field)
        if had is not None and has is not None and has > had + max(at_least, share * had):
            yield _finding(f"{service} has {what} left over", f"about {had} {what}, as before the faults", f"{has}")


def _left_open(case: Case) -> Iterator[Finding]:
    open_after = {(event.link, event.role): event.open_connections for _, event in case.history.of(LinkUsed)}
    for (link, role), count in open_after.items():
        usual = open_after.get((link, RunRole.STEADY))
        if role is RunRole.RECOVERY and usual is not None:
            _, at_least, share = _MORE["connections"]
            if count > usual + max(at_least, share * usual):
                expected = f"about {usual} connections open over {link}, as after the steady run"
                yield _finding("connections are never given back", expected, f"{count} after recovery")


def _unproven() -> Finding:
    return Finding(
        check=NAME,
        weight=Weight.UNPROVEN,
        title="it could not be judged",
        expected="what services hold is measured in the steady state, and again after recovery",
        found="no service was measured both times",
        see="history.jsonl: resources_measured",
    )


def _finding(title: str, expected: str, found: str) -> Finding:
    see = "history.jsonl: resources_measured, link_used"
    return Finding(check=NAME, weight=Weight.LIVENESS, title=title, expected=expected, found=found, see=see)


CHECK = Check(
    name=NAME,
    judge=not_leaking,
    holds_when="after recovery each service holds about as many connections, threads and file handles, and as much"
    " memory and disk, as in its steady state",
    witness="the kernel, the proxies' logs",
    blind_to="growth that takes more than a few runs to show; in containers, the disk",
)
