"""An effect: how one kind of fault is made true on a running service, proven while it is on, and proven gone."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from harness.errors import HarnessError
from harness.faults.service.fault import ServiceFault
from harness.history.events import ProbeOutcome
from harness.runtime.effects.target import MUTE, Door, Target, knock_at
from harness.runtime.service import ServiceState
from harness.runtime.session.undo_log import Request
from harness.runtime.toxiproxy.link_probe import ProbeResult

FaultT = TypeVar("FaultT", bound=ServiceFault)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a service showed.

    Args:
        as_expected: whether it is as it should be.
        saw: what was seen, for a person; begins in lower case.
    """

    as_expected: bool
    saw: str


@dataclass(frozen=True, slots=True)
class Met:
    """What the kernel counted of the service itself meeting the fault, without what the harness did to prove it."""

    count: int
    what: str


class Effect(abc.ABC, Generic[FaultT]):
    """What makes one fault true.

    No proof is the order's own return: each asks somebody else (the kernel, the engine, a link probe).

    Args:
        fault: what goes wrong.
        target: on which service.

    Class attributes:
        STATE: what the service does while the fault is on, by the word of whoever runs it.
    """

    STATE: ClassVar[ServiceState] = ServiceState.RUNNING

    def __init__(self, fault: FaultT, target: Target) -> None:
        self.fault = fault
        self.target = target

    async def arm(self) -> None:
        """Get ready, so that switching it on takes no time."""

    @abc.abstractmethod
    async def switch_on(self) -> None:
        """Make it true."""

    @abc.abstractmethod
    async def look(self) -> Look:
        """See whether it is true now; asked again and again while it is on."""

    @abc.abstractmethod
    async def lift(self) -> None:
        """Take it away, however far it had come; also when it never was on."""

    async def look_healed(self) -> Look:
        """See whether the service is as before: it runs, and whoever greets it is answered."""
        state = await self.target.service.state()
        if state is not ServiceState.RUNNING:
            return Look(as_expected=False, saw=f"{self.target.service.name} is {state}")
        seen = await knock_at((*self.target.doors, *self.target.links))
        return sights(seen, frozenset({ProbeOutcome.ANSWERED}), f"{self.target.service.name} is {state}")

    async def met(self) -> Met | None:
        """Tell what the kernel counted; asked before the fault is lifted."""
        return None

    def undone(self) -> Sequence[Request]:
        """What its sidecar would do to take it back; asked once it is armed, for a last will."""
        return ()

    async def disarm(self) -> None:
        """Remove what was made to get ready."""

    async def start_if_ended(self) -> bool:
        """Start the service if the fault made it end; whether it had."""
        if await self.target.service.state() is not ServiceState.ENDED:
            return False
        await self.target.service.start()
        return True

    async def look_at_doors(self, doors: tuple[Door, ...], timeout_s: float = 1.0) -> Look:
        """See what it does, and what link_probes to it see; of a port without a protocol, only a refusal tells."""
        state = await self.target.service.state()
        if state is not self.STATE:
            return Look(as_expected=False, saw=f"{self.target.service.name} is {state}, not {self.STATE}")
        telling = tuple(
            door for door in doors if door.protocol != MUTE or ProbeOutcome.REFUSED in self.fault.PROBE_SEES
        )
        return sights(
            await knock_at(telling, timeout_s), self.fault.PROBE_SEES, f"{self.target.service.name} is {state}"
        )


def sights(seen: Mapping[str, ProbeResult], expected: frozenset[ProbeOutcome], before: str) -> Look:
    """Hold what link_probes saw against what they should see.

    Args:
        seen: by the door's name.
        expected: every outcome that is as it should be.
        before: what else is known.
    """
    told = "; ".join([before, *(f"a link probe to {name} saw '{each.outcome}'" for name, each in seen.items())])
    return Look(as_expected=all(each.outcome in expected for each in seen.values()), saw=told)


class CannotBeDone(HarnessError):
    """This service cannot be given this fault, and the message says why."""
