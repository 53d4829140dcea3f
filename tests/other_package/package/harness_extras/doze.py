"""A service falls asleep: every process of it stands still, as on a host whose virtual machine is being moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from harness import Observation, RuntimeName, ServiceEffect, ServiceFault


class Doze(ServiceFault):
    """The service stands still, and goes on where it was."""

    kind: Literal["doze"] = "doze"
    IN_LOGS: ClassVar[str] = r"timed? ?out|Timeout"
    ABOUT: ClassVar[str] = "dozing"
    SENTENCE: ClassVar[str] = "the service stands still, and goes on where it was"
    PHRASES: ClassVar[tuple[str, ...]] = ("dozes off",)
    PROOF_ON: ClassVar[str] = "the runtime says that it stands still"
    PROOF_HEALED: ClassVar[str] = "it runs, and probes on every way to it are answered"

    @classmethod
    def effects(cls) -> Mapping[str, type[object]]:
        """The same on either runtime."""
        return dict.fromkeys(RuntimeName, DozeEffect)


class DozeEffect(ServiceEffect[Doze]):
    """Frozen by the runtime; a connection to it is accepted by its kernel, and waits."""

    CALLS_MEET_IT: ClassVar[bool] = True

    async def switch_on(self) -> None:
        """Freeze it."""
        await self.service.pause()

    async def observe_service(self) -> Observation:
        """See that it stands still."""
        state = await self.service.state()
        return Observation(as_expected=state == "paused", saw=f"{self.target} is {state}")

    async def switch_off(self) -> None:
        """Let it go on."""
        if await self.service.state() == "paused":
            await self.service.resume()
