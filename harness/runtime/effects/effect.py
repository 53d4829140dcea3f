"""An effect: how one kind of fault is put on, observed, counted, lifted, and verified to be healed."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from harness.errors import HarnessError
from harness.faults.fault import Fault
from harness.history.events import Witness
from harness.runtime.running import RunningStack
from harness.runtime.session.undo_log import UndoStep
from harness.runtime.toxiproxy.link_proxy import LinkProxy
from harness.runtime.waiting import NotYet, until
from harness.stack.link import Link

FaultT = TypeVar("FaultT", bound=Fault)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look at a fault's target showed.

    Args:
        as_expected: whether it is as it should be.
        saw: what was seen, for a person; begins in lower case.
    """

    as_expected: bool
    saw: str


@dataclass(frozen=True, slots=True)
class Hit:
    """What one witness tells of how often the system's own traffic or work met a fault.

    Args:
        witness: who tells.
        count: how often, without what the harness did to prove the fault.
        detail: what was counted, for a person.
        are_attempts: whether each is an attempt of the system's to use something: many in a short time are a storm.
    """

    witness: Witness
    count: int
    detail: str
    are_attempts: bool = False


class Effect(abc.ABC, Generic[FaultT]):
    """What makes one fault true on a running stack.

    No proof is the word of who put the fault on: each asks another party (the kernel, the engine, a probe).

    Args:
        fault: what goes wrong.
        running: the stack.
        target: the link or the service, as the history names it.
        links: every link whose traffic may meet the fault.
        log_names: the services in whose logs it may stand.
        proxies: those of the links that lead to the target.

    Class attributes:
        HITS_UNTIL_HEALED: it hits clients until its target is healed, not only until the order to lift it: a
            service that is down is down until it has started.
    """

    HITS_UNTIL_HEALED: ClassVar[bool] = False

    def __init__(
        self,
        fault: FaultT,
        running: RunningStack,
        target: str,
        *,
        links: tuple[Link, ...],
        log_names: tuple[str, ...],
        proxies: tuple[LinkProxy, ...],
    ) -> None:
        self.fault = fault
        self.running = running
        self.target = target
        self.links = links
        self.log_names = log_names
        self.proxies = proxies
        self.proxy_replaced = False

    async def arm(self) -> None:
        """Get ready, so that putting the fault on takes no time."""

    @abc.abstractmethod
    async def put_on(self) -> Sequence[Hit]:
        """Make the fault true; what it hit by that alone, as connections that it ended."""

    @abc.abstractmethod
    async def observe(self) -> Observation:
        """See whether the fault is true now; asked again and again while it is on."""

    async def hits(self, since_mono_s: float) -> Sequence[Hit]:
        """Count what the fault has hit; asked before it is lifted.

        Args:
            since_mono_s: the monotonic time in seconds at which it was on.
        """
        del since_mono_s
        return ()

    async def hits_when_lifted(self) -> Sequence[Hit]:
        """Count what is only known of the fault when it is lifted; asked right after that."""
        return ()

    @abc.abstractmethod
    async def lift(self) -> None:
        """Take the fault away, however far it had come; also when it never was on."""

    @abc.abstractmethod
    async def verify_healed(self) -> Observation:
        """See whether the target is as before, on every way to it."""

    async def until_healed(self, deadline_s: float) -> None:
        """Wait until the target is as before.

        Args:
            deadline_s: how long it may take, in seconds.

        Raises:
            DeadlineExceeded: it was not by then; the message says what was seen last.
        """

        async def healed() -> bool:
            observation = await self.verify_healed()
            if not observation.as_expected:
                raise NotYet(observation.saw)
            return True

        await until(healed, what=f"{self.target} to be healed of '{self.fault.about}'", deadline_s=deadline_s)

    async def undo_steps(self) -> Sequence[UndoStep]:
        """What would take the fault back if the harness died; asked once it is armed."""
        return ()

    async def disarm(self) -> None:
        """Remove what was made to get ready."""


class CannotBeDone(HarnessError):
    """This target cannot be given this fault, and the message says why."""
