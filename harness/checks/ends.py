"""Why a service of the stack ended although the harness did not end it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from harness.checks.case import Case
from harness.errors import NO_ROOM
from harness.history.events import FaultHealed, FaultOn, PhaseBegan, ServiceEnded, ServiceRestarted
from harness.history.history import Entry


class Cause(Enum):
    """What stands behind the end of a service."""

    ITS_OWN_FAULT = "the fault that was on it"
    ANOTHERS_FAULT = "a fault that was on something else"
    NONE = "nothing that was planned"


@dataclass(frozen=True, slots=True)
class ServiceEnd:
    """A service's end.

    Args:
        service: which.
        cause: why, as far as faults tell.
        came_back: whether its own restart policy had it up again.
        told: what was seen, for a person.
        entry: where the history has it.
    """

    service: str
    cause: Cause
    came_back: bool
    told: str
    entry: Entry


def ends_of_services(case: Case) -> Iterator[ServiceEnd]:
    """Every service that ended by itself."""
    back = [(entry.seq, event.service) for entry, event in case.history.of(ServiceRestarted)]
    for entry, event in case.history.of(ServiceEnded):
        why = ", with no space left on its disk" if NO_ROOM in event.last_output else ""
        yield ServiceEnd(
            service=event.service,
            cause=_cause(case, event.service, entry.at_s),
            came_back=any(seq > entry.seq and service == event.service for seq, service in back),
            told=f"it ended with exit code {event.returncode}{why}",
            entry=entry,
        )


def _cause(case: Case, service: str, at_s: float) -> Cause:
    healed = {event.fault: entry.at_s for entry, event in case.history.of(FaultHealed)}
    over_s = next((entry.at_s for entry, event in case.history.of(PhaseBegan) if event.phase == "reads"), math.inf)
    # What ends after the recovery, while the witnesses are read, and a stand-in of the harness's, no fault explains.
    unexplained = at_s >= over_s or service in _stand_ins(case)
    cause = Cause.NONE
    for entry, event in case.history.of(FaultOn):
        began_s = entry.at_s - event.took_s
        if event.target == service and began_s <= at_s <= healed.get(event.fault, at_s):
            return Cause.ITS_OWN_FAULT  # what a limit did to it is the fault itself
        if began_s <= at_s and not unexplained:
            cause = Cause.ANOTHERS_FAULT
    return cause


def _stand_ins(case: Case) -> frozenset[str | None]:
    """The services that are witnesses and no part of the system."""
    sink, gateway = case.adapters.notifications, case.adapters.gateway
    urls = [*([sink.url] if sink else []), *([gateway.control] if gateway else [])]
    return frozenset(urlsplit(url).hostname for url in urls)
