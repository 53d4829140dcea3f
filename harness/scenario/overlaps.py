"""Faults that would be on at one time on one link: proofs of one would see the other, and a lift would lift both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from harness.scenario.model import Injection
from harness.scenario.triggers import AtTime, BeforeRun
from harness.stack.stack import Stack

_ALWAYS = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two faults of a scenario that meet.

    Args:
        first: the index of the one in the scenario.
        second: the index of the other, which is the later one in the file.
        held: the link or the service on which they meet.
    """

    first: int
    second: int
    held: str


def overlaps(faults: list[Injection], stack: Stack) -> Iterator[Overlap]:
    """Find the faults that surely are on at one time on one link or service.

    Where a time is not known beforehand (a task's state, a connection, an order), the drill itself sees to it.
    """
    for second, later in enumerate(faults):
        for first, earlier in enumerate(faults[:second]):
            shared = held_by(earlier, stack) & held_by(later, stack)
            if shared and _meet(earlier, later):
                yield Overlap(first, second, min(shared))


def held_by(injection: Injection, stack: Stack) -> frozenset[str]:
    """The links and services that a fault holds while it is on: a service's are those that lead to it, too."""
    return injection.target_kind.held_in(stack, injection.target)


def _meet(one: Injection, other: Injection) -> bool:
    if one.start == other.start:
        return True
    window, other_window = _window(one), _window(other)
    if window is None or other_window is None:
        # What begins some time in the run surely meets what is on from before it to its end, and nothing else.
        return _ALWAYS in (window, other_window)
    (began_s, ended_s), (other_began_s, other_ended_s) = window, other_window
    return began_s < other_ended_s and other_began_s < ended_s


def _window(injection: Injection) -> tuple[float, float] | None:
    """From when to when it surely is on, in seconds of the run's clock; None where that is not known beforehand."""
    lasts_s = math.inf if injection.until else injection.lasts_s
    match injection.start:
        case BeforeRun():
            return -math.inf, lasts_s
        case AtTime(at_s=at_s):
            return at_s, at_s + lasts_s
        case _:
            return None
